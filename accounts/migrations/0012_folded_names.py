"""A second column of each name, without letter case and accents, for searching."""

from django.db import migrations

from core.database.named import FoldedName, fill_folded_names


class Migration(migrations.Migration):
    dependencies = [("accounts", "0011_keys_of_people")]

    operations = [
        migrations.AddField(model_name="user", name="name_folded", field=FoldedName(default="", editable=False)),
        fill_folded_names("accounts", "User"),
    ]
