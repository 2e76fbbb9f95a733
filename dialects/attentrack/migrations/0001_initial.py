"""The dialect's tables, which are there already: `attendance` made them, and has set them apart with all their rows."""

from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    initial = True

    dependencies = [("attendance", "0007_attentracks_tables_are_its_own")]

    operations = [
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.CreateModel(
                    name="CheckIn",
                    fields=[
                        ("session_id", core.ids.ObjectIdField(primary_key=True, serialize=False)),
                        ("code", models.CharField(blank=True, default="", max_length=128)),
                        ("countdown", models.CharField(blank=True, default="", max_length=128)),
                    ],
                ),
                migrations.CreateModel(
                    name="TeachingPlace",
                    fields=[
                        ("key", models.CharField(max_length=24, primary_key=True, serialize=False)),
                        ("location", models.TextField()),
                        ("radius", models.CharField(max_length=128)),
                        ("told_at", models.DateTimeField()),
                    ],
                ),
            ]
        )
    ]
