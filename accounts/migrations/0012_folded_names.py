"""A second column of each name, without letter case and accents, for searching."""

from typing import Any

from django.db import migrations

from core.database.batches import batches
from core.database.named import FoldedName, fold


def fill(apps: Any, schema_editor: Any) -> None:
    rows = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    names = dict(rows.order_by("id").values_list("id", "name"))
    for some in batches(list(names)):
        found = list(rows.filter(pk__in=some))
        for row in found:
            row.name_folded = fold(row.name)
        rows.bulk_update(found, ["name_folded"], batch_size=100)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_keys_of_people")]

    operations = [
        migrations.AddField(model_name="user", name="name_folded", field=FoldedName(default="", editable=False)),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
