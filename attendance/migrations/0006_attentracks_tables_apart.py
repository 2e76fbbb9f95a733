"""What only AttenTrack asks for moves into tables that bear its name; every row goes along.

Nothing here depends on the dialect, which may be gone: then its tables wait, with their rows, until it is back.
"""

from django.db import migrations, models

import core.ids


def copy_out(apps, schema_editor):
    Session, CheckIn = apps.get_model("attendance", "Session"), apps.get_model("attendance", "CheckIn")
    CheckIn.objects.all().delete()  # on MongoDB a copy that was interrupted is there
    told = Session.objects.exclude(check_in_code="", countdown="").values_list("id", "check_in_code", "countdown")
    CheckIn.objects.bulk_create(
        [CheckIn(session_id=session_id, code=code, countdown=countdown) for session_id, code, countdown in told],
        batch_size=1000,
    )


def copy_back(apps, schema_editor):
    Session, CheckIn = apps.get_model("attendance", "Session"), apps.get_model("attendance", "CheckIn")
    for session_id, code, countdown in CheckIn.objects.values_list("session_id", "code", "countdown"):
        Session.objects.filter(pk=session_id).update(check_in_code=code, countdown=countdown)


class Migration(migrations.Migration):
    dependencies = [("attendance", "0005_records_and_check_in")]

    operations = [
        migrations.AlterModelTable("teachingplace", "attentrack_teachingplace"),
        migrations.CreateModel(
            name="CheckIn",
            fields=[
                ("session_id", core.ids.ObjectIdField(primary_key=True, serialize=False)),
                ("code", models.CharField(blank=True, default="", max_length=128)),
                ("countdown", models.CharField(blank=True, default="", max_length=128)),
            ],
            options={"db_table": "attentrack_checkin"},
        ),
        migrations.RunPython(copy_out, copy_back),
    ]
