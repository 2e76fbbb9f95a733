"""A key for each roll number, and one for each e-mail that folds more than letter case.

Two accounts may turn out to have one key. One of them gets it, if possible the one that is spelled so, else the oldest.
Each other keeps its own spelling in the key's place, so that whoever signs in with it still can. No key of another
account is equal to such a spelling: it is the key of nothing. The migration names these doubles and goes on;
`manage.py find_doubles` lists them later.
"""

from typing import Any

from django.db import migrations, models

from core.database.batches import batches
from core.database.mongodb_indexes import plain_indexes
from core.emails import email_key
from core.roll_numbers import roll_number_key


def fill_keys(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    _fill(users, "email", "email_key", email_key)
    _fill(users.exclude(roll_number=None), "roll_number", "roll_number", roll_number_key)


def _fill(users: Any, column: str, spelled_in: str, key_of: Any) -> None:
    """`spelled_in` is the column that was unique until now."""
    accounts: dict[str, list[tuple[Any, str, str]]] = {}
    for user_id, typed, spelling in users.order_by("id").values_list("id", column, spelled_in).iterator():
        key = key_of(typed)
        if key is not None:
            accounts.setdefault(key, []).append((user_id, typed, spelling))
    keys: dict[Any, str] = {}
    for key, same in accounts.items():
        holder = next((user_id for user_id, _, spelling in same if spelling == key), same[0][0])
        for user_id, typed, spelling in same:
            kept = key if user_id == holder else spelling
            if (column, kept) != ("email", spelling):
                keys[user_id] = kept
            if user_id != holder:
                print(f"\n    double {column}: account {user_id} ({ascii(typed)}) and account {holder}", end="")
    changed = list(keys)
    for some in batches(changed):
        rows = list(users.filter(pk__in=some))
        for row in rows:
            setattr(row, f"{column}_key", keys[row.pk])
        users.bulk_update(rows, [f"{column}_key"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0010_sealed_second_factors")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="roll_number_key",
            field=models.CharField(default=None, editable=False, max_length=192, null=True, unique=True),
        ),
        migrations.RunPython(fill_keys, migrations.RunPython.noop),
        plain_indexes("accounts", user=[("roll_number_key",)]),
    ]
