from django.db import migrations

from core.database.mongodb_indexes import plain_indexes


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [plain_indexes("accounts", user=[("email_key",), ("email",)])]
