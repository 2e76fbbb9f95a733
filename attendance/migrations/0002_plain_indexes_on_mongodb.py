from django.db import migrations

from core.database.mongodb_indexes import plain_indexes


class Migration(migrations.Migration):
    dependencies = [("attendance", "0001_initial")]

    operations = [plain_indexes("attendance", mark=[("session_id", "seq")], attendance=[("session_id", "student_id")])]
