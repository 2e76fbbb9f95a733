"""docs/privacy.md says of every column of the database whether it is personal, and how long it is kept."""

import re

from django.apps import apps

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


PAGE = read("docs/privacy.md")
