"""The folded names leave out characters that nobody sees, and know letters with strokes."""

from django.db import migrations

from core.database.named import fill_folded_names


class Migration(migrations.Migration):
    dependencies = [("classes", "0013_previews")]

    operations = [fill_folded_names("classes", "Class")]
