"""The folded names leave out characters that nobody sees, and know letters with strokes."""

from django.db import migrations

from core.database.named import fill_folded_names


class Migration(migrations.Migration):
    dependencies = [("accounts", "0014_students_without_email")]

    operations = [fill_folded_names("accounts", "User")]
