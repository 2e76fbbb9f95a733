from django.db import migrations

from core.database.mongodb_indexes import plain_indexes


class Migration(migrations.Migration):
    dependencies = [("classes", "0001_initial")]

    operations = [plain_indexes("classes", enrolment=[("class_ref_id", "student_id")])]
