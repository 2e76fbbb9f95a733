"""The core forgets what 0006 has set apart. Two migrations, so that on MongoDB, where none can be undone half-way, the
columns go only once all their rows are known to be copied.
"""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("attendance", "0006_attentracks_tables_apart")]

    operations = [
        migrations.RemoveField(model_name="session", name="check_in_code"),
        migrations.RemoveField(model_name="session", name="countdown"),
        # The tables stay: from here on they are the dialect's.
        migrations.SeparateDatabaseAndState(
            state_operations=[migrations.DeleteModel("TeachingPlace"), migrations.DeleteModel("CheckIn")]
        ),
    ]
