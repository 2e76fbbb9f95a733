"""docs/privacy.md says of every column of the database whether it is personal, and how long it is kept.

What a person's own file shows and what an erasure empties is held to that list.
"""

import re
from collections.abc import Iterable

from django.apps import apps
from django.db.models import CharField, FloatField, TextField

from core.database.personal import DELETE, Personal, declared
from tests.documents.markdown import read, rows


def columns(cell: str) -> list[str]:
    return re.findall(r"`(\w+)`", cell)


def test_every_column_of_the_database_is_in_the_table_and_no_other() -> None:
    table = {columns(name)[0]: (personal, other) for name, _, personal, other, _ in rows(PAGE, "What is stored")}
    said = {name: sorted(columns(personal) + columns(other)) for name, (personal, other) in table.items()}
    there = {
        model._meta.db_table: sorted(str(field.column) for field in model._meta.local_fields)
        for model in apps.get_models(include_auto_created=True)
    }
    assert said == there, "say in docs/privacy.md whether the column is personal, and how long it is kept"


def test_who_has_personal_columns_is_named_and_all_is_kept_for_a_time() -> None:
    for name, about, personal, _, kept in rows(PAGE, "What is stored"):
        assert about, name
        assert kept, name
        if about == "nobody":
            assert not personal, name


def own_columns(one: Personal, paths: Iterable[str]) -> set[str]:
    """The columns of the table itself with which the paths begin."""
    return {str(one.table._meta.get_field(path.partition("__")[0]).column) for path in paths}  # type: ignore[union-attr]


def test_every_personal_column_is_in_the_persons_own_file_or_it_is_said_why_not() -> None:
    told: dict[str, set[str]] = {}
    for one in declared():
        known = own_columns(one, [*one.whose, *one.shown.values(), *one.withheld])
        told.setdefault(one.table._meta.db_table, set()).update(known)
    for name, _, personal, _, _ in rows(PAGE, "What is stored"):
        table = columns(name)[0]
        assert set(columns(personal)) <= told.get(table, set()), f"declare the column in `personal.py`: {table}"


def test_every_personal_text_and_place_goes_at_an_erasure_or_it_is_known_why_not() -> None:
    gone: dict[str, set[str]] = {}
    for one in declared():
        everything = {field.name for field in one.table._meta.concrete_fields} if one.erased is DELETE else ()
        emptied = own_columns(one, [*(one.erased or ()), *one.texts, *everything])
        gone.setdefault(one.table._meta.db_table, set()).update(emptied)
    tables = {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}
    for name, _, personal, _, _ in rows(PAGE, "What is stored"):
        table = columns(name)[0]
        for column in columns(personal):
            found = next(field for field in tables[table]._meta.concrete_fields if field.column == column)
            says_something = isinstance(found, (CharField, TextField, FloatField)) and not found.choices
            if says_something and (table, column) not in STAYS:
                assert column in gone.get(table, set()), f"say in `personal.py` what an erasure does: {table}.{column}"


#: Personal texts that stay at an erasure: they say nothing of who the person is.
STAYS = {
    ("accounts_user", "name_folded"): "follows from the name",
    ("accounts_user", "email_key"): "follows from the e-mail",
    ("accounts_user", "roll_number_key"): "follows from the roll number",
    ("accounts_attempts", "key"): "a keyed hash",
    ("attendance_sessionname", "name"): "a client's name for a lesson",
    ("audit_entry", "actor"): "an id",
    ("audit_entry", "way"): "a route",
    ("audit_entry", "kind"): "a kind of thing",
    ("audit_entry", "thing"): "an id",
    ("django_session", "session_data"): "an id",
    ("django_admin_log", "object_id"): "an id",
}
PAGE = read("docs/privacy.md")
