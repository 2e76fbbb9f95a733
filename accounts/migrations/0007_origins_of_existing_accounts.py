"""Accounts that strangers may have made count as signed up; all others as made by the school.

Sign-up and the admin left the same rows, so nobody can tell them apart any more. Who has chosen a password for an
account whose mailbox nobody has proved may be anybody: such an account counts as signed up, and the admin vouches for
it by an action. The school made everything else: accounts that nobody has a password for (class sheets made them), the
staff, what `import_mongo` brought (until its owner signs in, such an account has the old system's hash), and accounts
whose mailbox is proved, since until now a proof began with a class sheet or a superuser.
"""

from typing import Any

from django.db import migrations


def signed_up(apps: Any, schema_editor: Any) -> None:
    users = apps.get_model("accounts", "User").objects.using(schema_editor.connection.alias)
    doubted = users.filter(email_verified_at=None, is_staff=False, is_superuser=False)
    doubted.exclude(password__startswith="!").exclude(password__startswith="bcrypt$").update(origin="self")


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_origins_and_invitations")]

    operations = [migrations.RunPython(signed_up, migrations.RunPython.noop)]
