"""The secrets of second factors are encrypted with a key from SECRET_KEY."""

import re

from django.db import migrations, models

from core import sealing

PURPOSE = "accounts.second_factor"


def seal(apps, schema_editor):
    factors = apps.get_model("accounts", "SecondFactor").objects
    for user_id, secret in factors.values_list("pk", "secret"):
        if re.fullmatch("[A-Z2-7]+", secret):  # on MongoDB some may be sealed by a run that was interrupted
            factors.filter(pk=user_id).update(secret=sealing.seal(secret, purpose=PURPOSE))


def unseal(apps, schema_editor):
    factors = apps.get_model("accounts", "SecondFactor").objects
    for user_id, secret in factors.values_list("pk", "secret"):
        factors.filter(pk=user_id).update(secret=sealing.unseal(secret, purpose=PURPOSE))


class Migration(migrations.Migration):
    dependencies = [("accounts", "0009_second_factor")]

    operations = [
        migrations.AlterField("secondfactor", "secret", models.CharField(editable=False, max_length=255)),
        migrations.RunPython(seal, unseal),
    ]
