"""The environment of the test run, set before Django reads it (pyproject.toml loads this as an early plugin).

`TEST_DATABASE_URL` says which database the tests run on: unset, SQLite files; else a server, such as
`postgres://postgres@127.0.0.1:5432/` or `mongodb://127.0.0.1:27017/`, on which the tests make databases of their own.
Several, separated by blanks, are shared out among the test processes.
"""

import logging
import os
import sys
import tempfile
from urllib.parse import urlsplit

import django

#: Everything that the tests leave behind; a fresh folder for each test process.
DATA_DIR = tempfile.mkdtemp(prefix="attendance-tests-")
#: The servers that the tests start have the same, so that tests can make tokens for them.
JWT_SECRET = "a secret for tests only, and long enough"
#: The environment of a server whose passwords cost what they cost in a school.
REAL_SETTINGS = {"DJANGO_SETTINGS_MODULE": "attendance_project.settings"}
_SERVERS = os.environ.get("TEST_DATABASE_URL", "").split()
#: The server of this test process, of which pytest-xdist tells the number.
TEST_DATABASE_URL = _SERVERS[int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % len(_SERVERS)] if _SERVERS else ""
#: Whether what the tests made there stays: the server is thrown away after the run.
DATABASES_STAY = bool(os.environ.get("TEST_DATABASES_STAY"))
#: Begins the names of this process's databases: runs at the same time, and a run's processes, have their own.
PREFIX = f"attendance_{os.getpid()}"


def database_url(name: str) -> str:
    """The URL of the database `name` on the server of TEST_DATABASE_URL."""
    return urlsplit(TEST_DATABASE_URL)._replace(path=f"/{name}").geturl()


for variable in (
    *("DATABASE_URL", "LIVE_SESSIONS", "SESSION_IDLE_MINUTES", "DEBUG", "HOST", "PORT", "TIME_ZONE"),
    *("EMAIL_URL", "EMAIL_FROM", "ATTENTRACK_OPEN", "REDIS_URL", "WORKERS", "SECRET_KEY_FALLBACKS"),
    *("CHAT_PORT", "ACCESS_TOKEN_SECRET", "ALLOWED_ORIGINS", "REQUEST_TIMEOUT", "FORWARDED_ALLOW_IPS"),
    *("LIMITS", "PASSWORD_STRICT", "ADMIN_SECOND_FACTOR", "SIGNUP", "SIGNUP_DOMAINS", "PUBLIC_URL"),
    *("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_NAME", "OIDC_DOMAINS", "OIDC_GROUPS"),
    *("OIDC_CLAIM", "OIDC_TEACHERS", "LAN", "TRUST_PORT"),
    *("NOTICE_TO", "NOTICE_DELAY_MINUTES", "NOTICE_ABSENCES", "WEBHOOK_PRIVATE"),
    *("AUDIT_DAYS", "HIDE_EMAILS", "METRICS", "LOG_FORMAT", "LOG_LEVEL", "HSTS_SECONDS", "ALLOWED_HOSTS"),
    *("NOTICE_TEACHERS_AT", "REHEARSAL"),
):
    os.environ.pop(variable, None)
os.environ["DATA_DIR"] = DATA_DIR
os.environ["JWT_SECRET"] = JWT_SECRET
os.environ["SECRET_KEY"] = "another secret for tests only, as long"
if TEST_DATABASE_URL:
    os.environ["DATABASE_URL"] = database_url(PREFIX)

# Each of some hundred processes would compile the whole project, and each test process all the tests.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Not set by force: benchmarks are at home here too, and measure with REAL_SETTINGS.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
# So that what the tests share can import the models, outside pytest too.
django.setup()
# A failure's report is about what failed, not about each request of our clients before it.
logging.getLogger("httpx").setLevel(logging.WARNING)
