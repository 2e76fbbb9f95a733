"""The system checks of this project's settings. They run at every start, and by `manage.py check`."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import connection

from core.database.failures import describe
from core.files import is_private


@register(Tags.database)
def check_mongodb_is_a_replica_set(databases: Any = None, **kwargs: Any) -> list[CheckMessage]:
    """Transactions need a replica set. On a standalone MongoDB half of a unit of work could remain."""
    if connection.vendor != "mongodb" or "default" not in (databases or ()):
        return []
    mongo: Any = connection
    hello = mongo.get_database().client.admin.command("hello")
    if "setName" in hello or hello.get("msg") == "isdbgrid":
        return []
    return [
        checks.Error(
            f"{describe()} is a standalone server, which has no transactions.",
            hint="Make it a replica set of one: start mongod with --replSet rs0, then run `rs.initiate()` in mongosh.",
            id="attendance.E001",
        )
    ]


@register
def check_debug_is_off(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [
        checks.Warning(
            "DEBUG is on: crashes in the admin show settings and source code.",
            hint="Leave DEBUG unset wherever others can reach the server.",
            id="attendance.W001",
        )
    ]


@register
def check_limits_are_on(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    if settings.LIMITS:
        return []
    return [
        checks.Warning(
            "LIMITS=0: nothing limits how often anybody may guess a password or ask the server for anything.",
            hint="Leave LIMITS unset wherever others can reach the server; it is for benchmarks and crash tests.",
            id="attendance.W004",
        )
    ]


@register
def check_access_token_secret_is_long(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A warning only, because another system makes these tokens and its operators may not be able to change the secret.

    The server's own secrets stop the start if they are short.
    """
    if not settings.ACCESS_TOKEN_SECRET or len(settings.ACCESS_TOKEN_SECRET.encode()) >= 32:
        return []
    return [
        checks.Warning(
            "ACCESS_TOKEN_SECRET is shorter than 32 bytes, so tokens for Socket.IO rooms could be forged.",
            hint="Give the system that makes the tokens a longer one (openssl rand -hex 32), and this one the same.",
            id="attendance.W002",
        )
    ]


@register
def check_data_dir_is_private(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A warning only: a folder that was there before the server is the operator's, and may hold other things."""
    if is_private(settings.DATA_DIR):
        return []
    return [
        checks.Warning(
            f"Other users of this machine can enter DATA_DIR, {settings.DATA_DIR}. Its files are private all the same.",
            hint=f"chmod 700 {settings.DATA_DIR}",
            id="attendance.W008",
        )
    ]


@register
def check_several_workers_have_redis(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Without Redis the workers would see each other's marks a second late, and summaries in one worker only."""
    if settings.WORKERS == 1 or settings.REDIS_URL:
        return []
    return [
        checks.Error(
            f"{settings.WORKERS} workers need Redis to tell each other of marks, and REDIS_URL is not set.",
            hint="Set REDIS_URL (redis://127.0.0.1:6379), or run one worker (WORKERS=1).",
            id="attendance.E002",
        )
    ]


@register
def check_sqlite_is_on_one_machine(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """A warning only, because a Redis on another machine does not prove that servers on other machines use it."""
    host = urlsplit(settings.REDIS_URL).hostname
    if connection.vendor != "sqlite" or host in (None, "localhost", "127.0.0.1", "::1"):
        return []
    return [
        checks.Warning(
            f"SQLite's file can be shared by servers of one machine only, and Redis is on another ({host}).",
            hint="If servers on several machines are to work together, set DATABASE_URL to a PostgreSQL or MongoDB.",
            id="attendance.W003",
        )
    ]
