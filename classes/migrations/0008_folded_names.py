"""A second column of each name, without letter case and accents, for searching."""

from django.db import migrations

from core.database.named import FoldedName, fill_folded_names


class Migration(migrations.Migration):
    dependencies = [("classes", "0007_archive_co_teachers_days")]

    operations = [
        migrations.AddField(model_name="class", name="name_folded", field=FoldedName(default="", editable=False)),
        fill_folded_names("classes", "Class"),
    ]
