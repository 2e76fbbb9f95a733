"""Settings, all from the environment (and `.env` beside manage.py). docs/operations.md explains each of them."""

import contextlib
import secrets
from pathlib import Path
from typing import Any

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import Env, EnvValidationError, validate
from pymongo.errors import PyMongoError
from pymongo.uri_parser import parse_uri

from attendance_project import __version__

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent

env = Env(eager=False)
env.read_env(str(BASE_DIR / ".env"))

DEBUG = env.bool("DEBUG", False)
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 3000, validate=validate.Range(0, 65535))
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", ["*"])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", [])
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var")
DATABASE_URL = env.str("DATABASE_URL", "")
TIME_ZONE = env.str("TIME_ZONE", "UTC")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
#: Web pages of these origins may ask here; `*`: all.
ALLOWED_ORIGINS: list[str] = [origin.strip().lower().rstrip("/") for origin in env.list("ALLOWED_ORIGINS", ["*"])]
#: Proxies whose X-Forwarded-For and X-Forwarded-Proto `manage.py serve` believes: addresses and networks; `*`: all.
FORWARDED_ALLOW_IPS = env.str("FORWARDED_ALLOW_IPS", "127.0.0.1,::1")
HTTP_THREADS = env.int("HTTP_THREADS", 16, validate=validate.Range(1, 1000))
#: Threads of their own for requests that wait for a password's hash or a mail: hundreds of logins queue without
#: keeping any other request from its thread. More than hash at once, because a mail server may not answer.
SLOW_HTTP_THREADS = 8
#: A request that is not whole by then is answered 408 under `serve`, seconds; a body may go on if it comes fast enough.
REQUEST_TIMEOUT = env.int("REQUEST_TIMEOUT", 15, validate=validate.Range(1))

#: Server processes of `manage.py serve`.
WORKERS = env.int("WORKERS", 1, validate=validate.Range(1, 1000))
#: Where server processes tell each other what is new; empty: there is one, or they look once a second.
REDIS_URL = env.str("REDIS_URL", "")

#: `single`: one session is live on /ws, the focus. `per-class`: one for each class.
LIVE_SESSIONS = env.str("LIVE_SESSIONS", "single", validate=validate.OneOf(["single", "per-class"]))
#: A session without a mark for this long ends by itself, minutes.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", 240, validate=validate.Range(1))

#: Socket.IO rooms' own port besides PORT; None: no other.
CHAT_PORT = env.int("CHAT_PORT", None, validate=lambda port: port is None or validate.Range(1, 65535)(port))
#: Verifies the tokens of Socket.IO rooms, made by another system; empty: JWT_SECRET does.
ACCESS_TOKEN_SECRET = env.str("ACCESS_TOKEN_SECRET", "")

#: Where mail goes: `console:` (the server's own output), `smtp://user:password@host:587/?tls=True`, …
_email = env.dj_email_url("EMAIL_URL", "console:")
DEFAULT_FROM_EMAIL = env.str("EMAIL_FROM", "attendance@localhost")

#: False lifts every limit on what one account, address or socket may do: for benchmarks and crash tests, never in a
#: school. `manage.py check` and the server's start warn of it.
LIMITS = env.bool("LIMITS", True)
#: True holds new passwords of the published protocols to what the project's own pages and routes ask for.
PASSWORD_STRICT = env.bool("PASSWORD_STRICT", False)

#: Opens the routes that AttenTrack's published app calls without a token. Anybody can then mark anybody.
ATTENTRACK_OPEN = env.bool("ATTENTRACK_OPEN", False)

_given_secrets = {"SECRET_KEY": env.str("SECRET_KEY", ""), "JWT_SECRET": env.str("JWT_SECRET", "")}

try:
    env.seal()
except EnvValidationError as failure:
    raise ImproperlyConfigured(str(failure)) from None

if "EMAIL_BACKEND" not in _email:
    raise ImproperlyConfigured("EMAIL_URL must begin with console:, smtp://, smtp+tls:// or smtp+ssl://.")
EMAIL_BACKEND = _email["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10  # seconds


def _secret(name: str) -> str:
    """The secret `name`: from the environment, or made once and kept in a file of DATA_DIR."""
    given = _given_secrets[name]
    if given:
        if len(given.encode()) < 32:
            raise ImproperlyConfigured(
                f"{name} is shorter than 32 bytes, so it could be guessed. Make one with: openssl rand -hex 32"
            )
        return given
    kept = DATA_DIR / f"{name.lower()}.txt"
    if not kept.exists():
        DATA_DIR.mkdir(parents=True, exist_ok=True)
        made = kept.with_suffix(f".{secrets.token_hex(4)}")
        made.touch(mode=0o600)
        made.write_text(secrets.token_hex(32))
        with contextlib.suppress(FileExistsError):
            kept.hardlink_to(made)  # two processes may start at once: one file wins, never half a file
        made.unlink()
    return kept.read_text().strip()


SECRET_KEY = _secret("SECRET_KEY")
#: Signs the tokens of every client. The name is the one that the published systems use.
JWT_SECRET = _secret("JWT_SECRET")


def database_settings(url: str) -> dict[str, Any]:
    """What Django is to know of the database at `url`."""
    if url.startswith(("mongodb://", "mongodb+srv://")):
        return _mongodb(url)
    try:
        database: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:
        database = {"ENGINE": None}
    match database["ENGINE"]:
        case "django.db.backends.sqlite3":
            return _sqlite(database)
        case "django.db.backends.postgresql":
            return _postgresql(database)
    raise ImproperlyConfigured("DATABASE_URL must begin with sqlite://, postgres:// or mongodb://.")


def _sqlite(database: dict[str, Any]) -> dict[str, Any]:
    folder = Path(database["NAME"]).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as failure:
        raise ImproperlyConfigured(f"Cannot make the database's folder {folder}: {failure.strerror}.") from None
    return {
        **database,
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,  # seconds to wait for another process's write
            "transaction_mode": "IMMEDIATE",
            # FULL: a commit is on the disk before anybody hears of it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        # Tests run on a file too: in memory, threads would share one connection.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
    }


def _postgresql(database: dict[str, Any]) -> dict[str, Any]:
    return {
        **database,
        "CONN_MAX_AGE": 0,  # back to the pool after each request
        "CONN_HEALTH_CHECKS": True,  # a connection that died in the pool is replaced, not handed out
        "OPTIONS": {
            "connect_timeout": 5,  # seconds
            # A link that dies without a word is noticed within 10 s; left alone, marks and requests would wait for
            # TCP's own limits, a quarter of an hour and longer.
            "tcp_user_timeout": 10_000,  # milliseconds until what was sent must have arrived
            "keepalives_idle": 4,  # seconds without an answer, then questions: seconds between them, and how many
            "keepalives_interval": 2,
            "keepalives_count": 3,
            **database.get("OPTIONS", {}),
            # For every thread that may want one at once; seconds to wait for one.
            # Its attempts at a server that is gone are given up soon: new ones begin with the next request.
            "pool": {
                "min_size": 2,
                "max_size": HTTP_THREADS + SLOW_HTTP_THREADS + 8,
                "timeout": 3,
                "reconnect_timeout": 3,
            },
        },
    }


def _mongodb(url: str) -> dict[str, Any]:
    try:
        name = parse_uri(url)["database"]
    except (PyMongoError, ValueError) as failure:
        raise ImproperlyConfigured(f"DATABASE_URL is no address of MongoDB's: {failure}") from None
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: mongodb://host:27017/attendance")
    return {
        "ENGINE": "django_mongodb_backend",
        "HOST": url,
        "NAME": name,
        "OPTIONS": {
            # What is acknowledged survives the loss of a server, and of its memory.
            "w": "majority",
            "journal": True,
            "serverSelectionTimeoutMS": 3000,
        },
    }


DATABASES = {"default": database_settings(DATABASE_URL or f"sqlite:///{DATA_DIR / 'attendance.sqlite3'}")}
_MONGODB = DATABASES["default"]["ENGINE"] == "django_mongodb_backend"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if _MONGODB:
    DEFAULT_AUTO_FIELD = "django_mongodb_backend.fields.ObjectIdAutoField"
    # Django's own migrations make integer keys, which MongoDB has none of.
    MIGRATION_MODULES = {
        app: f"attendance_project.mongodb.migrations.{app}" for app in ("admin", "auth", "contenttypes")
    }

INSTALLED_APPS = [
    "core",  # first: its runserver, which has WebSockets, comes before Django's
    *(
        (f"attendance_project.mongodb.apps.{app}" for app in ("Admin", "Auth", "ContentTypes"))
        if _MONGODB
        else ("attendance_project.apps.Admin", "django.contrib.auth", "django.contrib.contenttypes")
    ),
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",  # the files of Swagger UI
    "accounts",
    "classes",
    "attendance",
    "dialects.attentrack",
]

MIDDLEWARE = [
    "core.rest.middleware.Origins",  # first: refusals need its headers too, or no page could read them
    "core.rest.middleware.EnvelopeInDebug",
    "core.rest.middleware.BodyLimit",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.rest.middleware.PageSessions",
    "django.middleware.common.CommonMiddleware",
    "core.rest.middleware.PageCsrf",
    "core.rest.middleware.PageUsers",
    "core.rest.middleware.PageMessages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "attendance_project.urls"
ASGI_APPLICATION = "attendance_project.asgi.application"
WSGI_APPLICATION = "attendance_project.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "attendance_project" / "templates"],  # before those of apps
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

AUTH_USER_MODEL = "accounts.User"
#: The first makes hashes; the second only reads those that import_mongo brought, and logging in renews them.
PASSWORD_HASHERS = ["accounts.passwords.BcryptHasher", "accounts.passwords.PlainBcryptHasher"]
#: Counts wrong passwords at the admin with those of all other doors.
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
#: For the admin, the commands and the project's own routes. The published protocols' clients send shorter ones; see
#: PASSWORD_STRICT.
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 8}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["core.rest.permissions.MayUse"],
    "DEFAULT_PARSER_CLASSES": ["core.rest.parsers.StrictJsonParser"],
    "DEFAULT_RENDERER_CLASSES": ["core.rest.envelope.EnvelopeRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "core.rest.envelope.AlwaysJson",
    "DEFAULT_SCHEMA_CLASS": "core.rest.openapi.ViewSchema",
    "EXCEPTION_HANDLER": "core.rest.envelope.exception_handler",
    "UNAUTHENTICATED_USER": None,
    "UNAUTHENTICATED_TOKEN": None,
}

#: The document at /api-docs.
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Live attendance",
    "DESCRIPTION": "Every REST route of every protocol. The sockets are in docs/asyncapi.yaml.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_PATCH": False,
    "PREPROCESSING_HOOKS": ["core.rest.openapi.without_slash"],
    "POSTPROCESSING_HOOKS": [],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From a login."},
            "otpToken": {"type": "http", "scheme": "bearer", "description": "From where the code was asked for."},
        }
    },
}

#: Path prefix → the form of failures there, for what is answered outside the views; elsewhere the envelope.
ERROR_FORMS: dict[str, str] = {
    "/api/student": "dialects.attentrack.failures.worded",
    "/api/teacher": "dialects.attentrack.failures.worded",
    "/api/attendance": "dialects.attentrack.failures.worded",
    "/api/class": "dialects.attentrack.failures.worded",
    "/api/superadmin": "dialects.attentrack.failures.worded",
    "/setAttendance": "dialects.attentrack.failures.worded",
    "/getAttendance": "dialects.attentrack.failures.worded",
}

#: The WebSockets beside /ws: lists of Channels' routes.
WEBSOCKET_ROUTES = [
    "dialects.attentrack.routing.sockets",
]

#: The protocols spoken at /socket.io; a connection speaks the first one that its handshake is right for.
SOCKETIO_DIALECTS = [
    "dialects.rooms.dialect.Rooms",
    "dialects.events.dialect.Events",
]


def _redis(url: str) -> dict[str, Any]:
    """The channel layer over the Redis at `url`."""
    from redis.asyncio.connection import parse_url  # noqa: PLC0415  slow, and most have no Redis
    from redis.exceptions import ConnectionError  # noqa: PLC0415, A004

    try:
        number = parse_url(url).get("db", 0)
    except ValueError:
        raise ImproperlyConfigured("REDIS_URL must be redis://host:port/number, rediss://… or unix:///path.") from None
    host = {
        "address": url,
        # Seconds; without them a Redis that hangs would be waited for without end.
        "socket_connect_timeout": 2,
        "socket_timeout": 2,
        "retry_on_error": [ConnectionError],  # once, at once: a connection that was cut is made again
    }
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # Redis does not keep the hints of its databases apart, so the name has the number in it.
        "CONFIG": {"prefix": f"attendance:{number}:", "hosts": [host]},
    }


CHANNEL_LAYERS = {
    "default": _redis(REDIS_URL) if REDIS_URL else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}

#: `core.rest.middleware.Origins` decides who may ask; these are what the answer then says. Never credentials.
CORS_ALLOW_ALL_ORIGINS = "*" in ALLOWED_ORIGINS
CORS_ALLOW_HEADERS = ("authorization", "content-type")

#: The longest HTTP body, bytes; a longer one is answered 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
#: The admin's page of a class sends two fields for each student on the roster; Django's own limit is 1,000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
#: The longest WebSocket message, bytes; a longer one closes its socket with 1009.
MAX_MESSAGE_SIZE = 64 * 1024

LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True

STATIC_URL = "/static/"
#: WhiteNoise finds the files in the apps at start, so there is nothing to collect.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "redact": {"()": "core.logs.RedactTokens"},
        "client_faults": {"()": "core.logs.DropClientFaults"},
    },
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["redact"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # One line a request and two a socket are too many for a class that checks in at once.
        "uvicorn.access": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING", "filters": ["client_faults"]},
        "daphne": {"level": "WARNING"},
        "daphne.server": {"level": "INFO"},  # where it listens
        "django": {"level": LOG_LEVEL},
        # Its own handler would print beside ours.
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        # What these two log are clients' faults, with tracebacks; our own handlers report ours.
        "socketio": {"level": "CRITICAL"},
        "engineio": {"level": "CRITICAL"},
        # A traceback a second while Redis is away; `attendance.live.hints` reports once.
        "channels_redis": {"level": "CRITICAL"},
        "pymongo": {"level": "WARNING"},  # below that it logs every command, with the hashes in it
        "psycopg.pool": {"level": "ERROR"},  # each failed attempt to connect is a warning; we report once
        # A wrong Host is the client's fault, and a traceback for each would let any stranger fill the disk.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
