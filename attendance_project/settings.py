"""The settings. Operators set them in the environment or in `.env` beside manage.py. See docs/operations.md."""

import re
import secrets
import zoneinfo
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit
from urllib.request import url2pathname

import dj_database_url
from django.core.exceptions import ImproperlyConfigured
from environs import EnvValidationError, validate

from attendance_project import __version__, given
from core.addresses import on_network
from core.files import private_file

VERSION = __version__
BASE_DIR = Path(__file__).resolve().parent.parent

#: What to do about an address that cannot be read. The address stays out of it: a part of it may be the password's.
_ENCODE = (
    "Write the special letters of a user or password percent-encoded:"
    " % as %25, # as %23, / as %2F, : as %3A, ? as %3F, @ as %40."
)
#: A percent sign that encodes nothing.
_BARE = re.compile(r"%(?![0-9A-Fa-f]{2})")

env = given.Given(eager=False)
given.add_parsers(env)
given.env_file(BASE_DIR / ".env", env)

#: Whether this server only tries out a restored database: nothing that it does leaves it (`serve --rehearsal`).
REHEARSAL = env.bool("REHEARSAL", False)
if REHEARSAL:
    # These are the real server's: by whom it sends, whom it asks, and where it is reached.
    env.leave_out(
        (
            *("EMAIL_URL", "REDIS_URL", "WORKERS", "HOST", "LAN", "CHAT_PORT", "PUBLIC_URL", "ALLOWED_HOSTS"),
            *("HSTS_SECONDS", "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_DOMAINS", "OIDC_GROUPS"),
            "OIDC_TEACHERS",
        )
    )

DEBUG = env.bool("DEBUG", False)
HOST = env.str("HOST", "127.0.0.1")
PORT = env.int("PORT", 3000, validate=validate.Range(0, 65535))
#: Whether `serve` listens on the network, over HTTPS with certificates of its own (`core.lan`).
LAN = env.bool("LAN", False)
#: Where devices fetch the certificate to trust, by plain HTTP; None: PORT + 1. `serve` with LAN sets it.
TRUST_PORT: int | None = env.port("TRUST_PORT", None)
_hosts: list[str] = env.names("ALLOWED_HOSTS", ["*"])
_trusted_origins: list[str] = env.names("CSRF_TRUSTED_ORIGINS", [])
DATA_DIR = env.path("DATA_DIR", BASE_DIR / "var")
DATABASE_URL = env.str("DATABASE_URL", "")
TIME_ZONE = env.str("TIME_ZONE", "UTC")
LOG_LEVEL = env.str("LOG_LEVEL", "INFO", validate=validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR"]))
LOG_FORMAT = env.str("LOG_FORMAT", "text", validate=validate.OneOf(["text", "json"]))
#: Whom mails tell of absences.
NOTICE_TO: list[str] = env.names("NOTICE_TO", [], among=("students", "teachers", "guardians"))
NOTICE_DELAY_MINUTES = env.int("NOTICE_DELAY_MINUTES", 30, validate=validate.Range(0, 10_080))
NOTICE_ABSENCES = env.int("NOTICE_ABSENCES", 3, validate=validate.Range(0, 1000))
#: When teachers get the notices of a day in one mail, in the school's time; empty: each session's at once.
NOTICE_TEACHERS_AT = env.str(
    "NOTICE_TEACHERS_AT",
    "16:00",
    validate=validate.Regexp(
        r"(([01]\d|2[0-3]):[0-5]\d)?\Z", error="Write a time of the day from 00:00 to 23:59, such as 16:00 or 08:30."
    ),
)
#: Whether webhooks may be in private networks, and without TLS.
WEBHOOK_PRIVATE = env.bool("WEBHOOK_PRIVATE", False)
#: Entries of the audit log are kept this long, days.
AUDIT_DAYS = env.int("AUDIT_DAYS", 180, validate=validate.Range(1, 36_500))
_metrics: list[str] = env.names("METRICS", [])
_origins: list[str] = env.names("ALLOWED_ORIGINS", ["*"])
_proxies: list[str] = env.names("FORWARDED_ALLOW_IPS", ["127.0.0.1", "::1"])
#: Browsers are told to reach this host by HTTPS alone for this long, seconds; 0: they are not told.
SECURE_HSTS_SECONDS = env.int("HSTS_SECONDS", 0, validate=validate.Range(0))
HTTP_THREADS = env.int("HTTP_THREADS", 16, validate=validate.Range(1, 1000))
#: The threads for slow requests, which hash a password or mail a code. Hundreds of logins may wait for these threads,
#: and no other request waits for them. There are more than can hash at once, because some wait for a mail server.
SLOW_HTTP_THREADS = 8
#: The threads for what takes the processor for long: reports, files, lists that are imported.
HEAVY_HTTP_THREADS = 2
#: A client of `serve` has this long to send a request, seconds, or is answered 408. A body that comes fast enough may
#: take longer.
REQUEST_TIMEOUT = env.int("REQUEST_TIMEOUT", 15, validate=validate.Range(1))

#: The number of server processes of `manage.py serve`.
WORKERS = env.int("WORKERS", 1, validate=validate.Range(1, 1000))
#: The Redis through which server processes tell each other of marks. Empty: there is one process, or the processes
#: look into the database once a second.
REDIS_URL = env.str("REDIS_URL", "")

#: `single`: one session, the focus, is live on /ws. `per-class`: each class's session is live.
LIVE_SESSIONS = env.str("LIVE_SESSIONS", "single", validate=validate.OneOf(["single", "per-class"]))
#: A session ends by itself when it has had no mark for this long, minutes.
SESSION_IDLE_MINUTES = env.int("SESSION_IDLE_MINUTES", 240, validate=validate.Range(1))

#: A second port, for Socket.IO rooms alone; None for no second port.
CHAT_PORT: int | None = env.port("CHAT_PORT", None)
#: The secret of the tokens that another system makes for Socket.IO rooms. Empty: their secret is JWT_SECRET.
ACCESS_TOKEN_SECRET = env.str("ACCESS_TOKEN_SECRET", "")

#: Where mail goes: `console:` (the server's output, with DEBUG on alone), or
#: `smtp://user:password@host:587/?tls=True` and the like.
_email_url = env.str("EMAIL_URL", "console:")
_email = env.dj_email_url("EMAIL_URL", "console:")
_sender = env.str("EMAIL_FROM", "attendance@localhost")

#: False lifts every limit on what one account, address or socket may do: for benchmarks and crash tests, never in a
#: school. `manage.py check` and the server's start warn of it.
LIMITS = env.bool("LIMITS", True)
#: What one account, address, socket or session may do: `core.limits` is the table. 0 lifts a limit.
LIMIT_ACCOUNT_SOCKETS = env.int("LIMIT_ACCOUNT_SOCKETS", 32, validate=validate.Range(0))
LIMIT_ADDRESS_SOCKETS = env.int("LIMIT_ADDRESS_SOCKETS", 5000, validate=validate.Range(0))
LIMIT_ACCOUNT_OPENINGS = env.int("LIMIT_ACCOUNT_OPENINGS", 5, validate=validate.Range(0))
LIMIT_ADDRESS_OPENINGS = env.int("LIMIT_ADDRESS_OPENINGS", 200, validate=validate.Range(0))
LIMIT_HANDSHAKES = env.int("LIMIT_HANDSHAKES", 500, validate=validate.Range(0))
LIMIT_PIPELINED = env.int("LIMIT_PIPELINED", 32, validate=validate.Range(0))
LIMIT_BODIES = env.int("LIMIT_BODIES", 64, validate=validate.Range(0))
LIMIT_FILES_RESERVED = env.int("LIMIT_FILES_RESERVED", 512, validate=validate.Range(0))
_check_in: list[str] = env.names("CHECK_IN_NETWORKS", [])
LIMIT_MARKS = env.int("LIMIT_MARKS", 100, validate=validate.Range(0))
LIMIT_MESSAGES = env.int("LIMIT_MESSAGES", 100, validate=validate.Range(0))
LIMIT_SYNCS = env.int("LIMIT_SYNCS", 5, validate=validate.Range(0))
LIMIT_BROADCASTS = env.int("LIMIT_BROADCASTS", 5, validate=validate.Range(0))
LIMIT_READS = env.int("LIMIT_READS", 20, validate=validate.Range(0))
LIMIT_JOURNAL = env.int("LIMIT_JOURNAL", 1000, validate=validate.Range(0))
LIMIT_JOURNAL_A_STUDENT = env.int("LIMIT_JOURNAL_A_STUDENT", 50, validate=validate.Range(0))
LIMIT_SIGNUPS = env.int("LIMIT_SIGNUPS", 600, validate=validate.Range(0))
LIMIT_CLASSES = env.int("LIMIT_CLASSES", 200, validate=validate.Range(0))
LIMIT_SHEET_ROWS = env.int("LIMIT_SHEET_ROWS", 20_000, validate=validate.Range(0))
LIMIT_PEOPLE = env.int("LIMIT_PEOPLE", 5000, validate=validate.Range(0))
LIMIT_SESSIONS = env.int("LIMIT_SESSIONS", 200, validate=validate.Range(0))
LIMIT_SESSION_NAMES = env.int("LIMIT_SESSION_NAMES", 200, validate=validate.Range(0))
LIMIT_KEYED = env.int("LIMIT_KEYED", 1000, validate=validate.Range(0))
#: True holds new passwords of the published protocols to what the project's own pages and routes ask for.
PASSWORD_STRICT = env.bool("PASSWORD_STRICT", False)
#: True asks everybody at the admin for a code of an authenticator app, besides the password. Whoever has set one up is
#: asked in any case.
ADMIN_SECOND_FACTOR = env.bool("ADMIN_SECOND_FACTOR", False)

#: Who may make an account by themself: `open` (anybody), `students`, `domains` (addresses of SIGNUP_DOMAINS),
#: `invited` (whoever the school has invited), `closed` (nobody).
SIGNUP = env.str("SIGNUP", "open", validate=validate.OneOf(["open", "students", "domains", "invited", "closed"]))
_domains: list[str] = env.names("SIGNUP_DOMAINS", [])
SIGNUP_DOMAINS: list[str] = [domain.lower().lstrip("@") for domain in _domains]
#: The school's provider of accounts, with which people sign in to the pages (`accounts.openid`). Empty: none.
OIDC_ISSUER = env.str("OIDC_ISSUER", "").strip()
OIDC_CLIENT_ID = env.str("OIDC_CLIENT_ID", "")
OIDC_CLIENT_SECRET = env.str("OIDC_CLIENT_SECRET", "")
#: What the button calls the school's accounts.
OIDC_NAME = env.str("OIDC_NAME", "")
#: Whose addresses may come, and who of them by OIDC_CLAIM; empty: everybody whom the provider lets in.
_oidc_domains: list[str] = env.names("OIDC_DOMAINS", [])
OIDC_DOMAINS: list[str] = [domain.lower().lstrip("@") for domain in _oidc_domains]
OIDC_GROUPS: list[str] = env.names("OIDC_GROUPS", [])
#: The claim that has a person's groups or roles; with dots a claim inside of a claim.
OIDC_CLAIM = env.str("OIDC_CLAIM", "groups")
#: Whose new accounts are teachers': values of that claim, and domains with an @. Everybody else is a student.
OIDC_TEACHERS: list[str] = env.names("OIDC_TEACHERS", [])
#: True: to students, the e-mail addresses of others are empty, in every protocol.
HIDE_EMAILS = env.bool("HIDE_EMAILS", False)
#: Where people reach the server, for the links in invitations: https://attendance.school.example
PUBLIC_URL = env.str("PUBLIC_URL", "").rstrip("/")

#: Opens the routes that AttenTrack's published app calls without a token. Anybody can then mark anybody.
ATTENTRACK_OPEN = env.bool("ATTENTRACK_OPEN", False)

_fallbacks: list[str] = env.names("SECRET_KEY_FALLBACKS", [])
_given_secrets = {"SECRET_KEY": env.str("SECRET_KEY", ""), "JWT_SECRET": env.str("JWT_SECRET", "")}

try:
    env.seal()
except EnvValidationError as failure:
    raise ImproperlyConfigured(
        # An address may hold a password, which the parser's words would show.
        " ".join(
            f"{name} is no address. {_ENCODE}" if name.endswith("_URL") else f"{name}: {'; '.join(map(str, faults))}"
            for name, faults in cast(dict[str, list[str]], failure.error_messages).items()
        )
    ) from None

try:
    zoneinfo.ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError):
    raise ImproperlyConfigured(
        f"TIME_ZONE is {TIME_ZONE!r}, which is no time zone. Write Europe/Berlin, say."
    ) from None

if LAN:
    HOST = on_network(HOST)


#: The networks whose addresses may ask for /metrics; none: nothing is counted.
METRICS = given.networks("METRICS", _metrics)
#: Students who check in where the teacher asks for an allowed network must come from one of these.
CHECK_IN_NETWORKS = [str(network) for network in given.networks("CHECK_IN_NETWORKS", _check_in)]

ALLOWED_HOSTS = given.hosts("ALLOWED_HOSTS", _hosts)
#: The origins whose web pages may use this server; `*` stands for all.
ALLOWED_ORIGINS = given.origins("ALLOWED_ORIGINS", _origins, also=("*", "null"))
CSRF_TRUSTED_ORIGINS = given.origins("CSRF_TRUSTED_ORIGINS", _trusted_origins)
#: The proxies whose X-Forwarded-For and X-Forwarded-Proto `serve` believes: addresses and networks; `*` stands for all.
FORWARDED_ALLOW_IPS = given.proxies("FORWARDED_ALLOW_IPS", _proxies)

if SIGNUP == "domains" and not SIGNUP_DOMAINS:
    raise ImproperlyConfigured(
        "SIGNUP=domains needs SIGNUP_DOMAINS, the domains whose addresses may sign up:"
        " school.example,pupils.school.example"
    )
if SIGNUP != "domains" and SIGNUP_DOMAINS:
    raise ImproperlyConfigured(
        f"SIGNUP_DOMAINS is set, and SIGNUP={SIGNUP} does not look at it."
        " Set SIGNUP=domains, or leave SIGNUP_DOMAINS out."
    )
for _name, _listed in (("SIGNUP_DOMAINS", SIGNUP_DOMAINS), ("OIDC_DOMAINS", OIDC_DOMAINS)):
    for _domain in _listed:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+", _domain, re.ASCII):
            raise ImproperlyConfigured(
                f"{_name} has {_domain!r}, which is no domain. Write what stands behind the @: school.example"
            )
if OIDC_ISSUER:
    if not re.fullmatch(
        r"https://[^\s/?#@]+(/[^\s?#]*)?|http://(127\.0\.0\.1|localhost)(:\d+)?(/[^\s?#]*)?", OIDC_ISSUER
    ):
        raise ImproperlyConfigured(
            f"OIDC_ISSUER is {OIDC_ISSUER!r}, which is no address of a provider."
            " Write https://keycloak.school.example/realms/school"
        )
    if not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
        raise ImproperlyConfigured(
            "OIDC_ISSUER needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET, which the provider gives (docs/deploy.md)."
        )
    if OIDC_ISSUER.startswith("https://accounts.google.com") and not OIDC_DOMAINS:
        raise ImproperlyConfigured(
            "OIDC_ISSUER is Google's, where everybody has an account. Set OIDC_DOMAINS: school.example"
        )
    if re.match(r"https://login\.microsoftonline\.com/(common|organizations|consumers)(/|$)", OIDC_ISSUER):
        raise ImproperlyConfigured(
            "OIDC_ISSUER is Microsoft's for everybody. Write your own tenant's: https://login.microsoftonline.com/TENANT-ID/v2.0"
        )
elif OIDC_CLIENT_ID or OIDC_CLIENT_SECRET or OIDC_DOMAINS or OIDC_GROUPS or OIDC_TEACHERS:
    raise ImproperlyConfigured("OIDC_CLIENT_ID and the like do nothing without OIDC_ISSUER, the provider's address.")
if PUBLIC_URL and not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", PUBLIC_URL):
    raise ImproperlyConfigured(
        f"PUBLIC_URL is {PUBLIC_URL!r}, which is no address of a web server. Write https://attendance.school.example"
    )

if "EMAIL_BACKEND" not in _email:
    raise ImproperlyConfigured(
        "EMAIL_URL must begin with console: or smtp:// (smtp://user:password@host:587/?tls=True)."
    )
given.mail_server("EMAIL_URL", _email_url)
DEFAULT_FROM_EMAIL = given.sender("EMAIL_FROM", _sender)
EMAIL_BACKEND = _email["EMAIL_BACKEND"].replace("django.core.mail.backends.console", "accounts.console_mail")
EMAIL_HOST, EMAIL_PORT = _email["EMAIL_HOST"], _email["EMAIL_PORT"] or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _email["EMAIL_HOST_USER"], _email["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS, EMAIL_USE_SSL = _email["EMAIL_USE_TLS"], _email["EMAIL_USE_SSL"]
EMAIL_FILE_PATH = _email["EMAIL_FILE_PATH"]
EMAIL_TIMEOUT = 10  # seconds


def _secret(name: str) -> str:
    """The secret `name` of the environment, or else of a file in DATA_DIR, or else a new one for this file."""
    told = _given_secrets[name]
    if told:
        return given.secret(name, told)
    kept = DATA_DIR / f"{name.lower()}.txt"
    KEPT_SECRETS.append(kept)
    try:
        return given.kept_secret(kept, loss=_LOSSES[name])
    except FileNotFoundError:
        NEW_SECRETS[kept] = secrets.token_hex(32)
        return NEW_SECRETS[kept]


#: What another secret means.
_LOSSES = {
    "JWT_SECRET": "With another one everybody has to sign in again.",
    "SECRET_KEY": (
        "With another one everybody has to sign in again at the pages and the admin, and second factors, recovery codes"
        " and webhooks are to be set up anew."
    ),
}
#: Secrets that no file has yet: `core.own_files` makes the files, and commands that need them stop.
NEW_SECRETS: dict[Path, str] = {}
#: The files of all secrets that the environment does not give.
KEPT_SECRETS: list[Path] = []

SECRET_KEY = _secret("SECRET_KEY")
#: Keys that SECRET_KEY has replaced. What was signed or encrypted with one of them is still read.
SECRET_KEY_FALLBACKS = [given.secret("A key of SECRET_KEY_FALLBACKS", key) for key in _fallbacks]
#: The secret of all clients' tokens. The published systems use this name.
JWT_SECRET = _secret("JWT_SECRET")


def database_settings(url: str) -> dict[str, Any]:
    """Django's settings for the database at `url`."""
    if url.startswith(("mongodb://", "mongodb+srv://")):
        return _mongodb(url)
    if not url.startswith(("sqlite://", "postgres://", "postgresql://")):
        raise ImproperlyConfigured("DATABASE_URL must begin with sqlite://, postgres:// or mongodb://.")
    try:
        # What stands behind a letter that was not encoded would be taken for a port, a path or a query.
        behind_host = urlsplit(url)._replace(scheme="", netloc="").geturl()
        is_encoded = not ("@" in behind_host or "#" in behind_host or _BARE.search(url))
        database: dict[str, Any] = {**dj_database_url.parse(url)}
    except ValueError:
        is_encoded, database = False, {}
    if url.startswith("sqlite://"):
        return _sqlite(database)
    if not is_encoded:
        raise ImproperlyConfigured(f"DATABASE_URL is no address of PostgreSQL's. {_ENCODE}")
    if not database["NAME"]:
        raise ImproperlyConfigured("DATABASE_URL names no database: postgres://user:password@host:5432/attendance")
    return _postgresql(database)


def _sqlite(database: dict[str, Any]) -> dict[str, Any]:
    file = Path(database["NAME"]).absolute()
    # SQLite makes the files beside it, -wal and -shm, as private as the database's own is.
    for part in (file, *file.parent.glob(f"{file.name}-*")):
        if part.exists():
            private_file(part)
    return {
        **database,
        # SQLite would make an empty database where there is none: see `core.own_files`.
        "NAME": f"{file.as_uri()}?mode=rw",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 20,  # seconds to wait for another process's write
            "transaction_mode": "IMMEDIATE",
            # FULL: a commit is on the disk before clients are told of it.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        },
        # Tests use a file too, because in memory all threads would share one connection.
        "TEST": {"NAME": str(DATA_DIR / "test.sqlite3")},
    }


def _postgresql(database: dict[str, Any]) -> dict[str, Any]:
    return {
        **database,
        "CONN_MAX_AGE": 0,  # a connection goes back to the pool after each request
        "CONN_HEALTH_CHECKS": True,  # a connection that died in the pool is replaced, not handed out
        "OPTIONS": {
            "connect_timeout": 5,  # seconds
            # A link that dies silently is noticed within 10 s. By TCP's own limits, marks and requests would wait for
            # a quarter of an hour and longer.
            "tcp_user_timeout": 10_000,  # milliseconds in which the other side must confirm what was sent
            # After 4 s of silence the kernel sends a probe every 2 s, and gives the link up after 3 without an answer.
            "keepalives_idle": 4,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            **database.get("OPTIONS", {}),
            # There is a connection for every thread that may need one at once, and a thread waits `timeout` seconds
            # for one. The pool gives up on a server that is gone after `reconnect_timeout` seconds; the next request
            # lets it try again.
            "pool": {
                "min_size": 2,
                "max_size": HTTP_THREADS + SLOW_HTTP_THREADS + 8,
                "timeout": 3,
                "reconnect_timeout": 3,
            },
        },
    }


def _mongodb(url: str) -> dict[str, Any]:
    from pymongo.errors import PyMongoError  # noqa: PLC0415  slow to import, and most servers have no MongoDB
    from pymongo.uri_parser import parse_uri  # noqa: PLC0415

    try:
        name = parse_uri(url)["database"]
    except (PyMongoError, ValueError):
        raise ImproperlyConfigured(f"DATABASE_URL is no address of MongoDB's. {_ENCODE}") from None
    if not name:
        raise ImproperlyConfigured("DATABASE_URL names no database: mongodb://host:27017/attendance")
    return {
        "ENGINE": "core.database.mongodb",
        "HOST": url,
        "NAME": name,
        "OPTIONS": {
            # What is acknowledged survives the loss of one server of the replica set, and a crash of all of them.
            "w": "majority",
            "journal": True,
            "serverSelectionTimeoutMS": 3000,
        },
    }


DATABASES = {"default": database_settings(DATABASE_URL or f"sqlite:///{DATA_DIR / 'attendance.sqlite3'}")}
_MONGODB = DATABASES["default"]["ENGINE"] == "core.database.mongodb"
_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
#: The file of the database; None if the database is a server's.
DATABASE_FILE = Path(url2pathname(urlsplit(DATABASES["default"]["NAME"]).path)) if _SQLITE else None

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if _MONGODB:
    DEFAULT_AUTO_FIELD = "django_mongodb_backend.fields.ObjectIdAutoField"
    # Django's own migrations make integer keys, which MongoDB does not have.
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
    "audit",
    "accounts",
    "classes",
    "attendance",
    "notices",
    "dialects.attentrack",
    "dialects.v2",
    "web",
]

MIDDLEWARE = [
    "core.rest.middleware.Origins",  # first, because pages can read refusals only with its headers
    "core.rest.middleware.AnswerHeaders",
    "audit.middleware.Audited",
    "core.rest.middleware.EnvelopeInDebug",
    "core.rest.middleware.BodyLimit",
    "web.middleware.Compression",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "core.rest.middleware.PageSessions",
    "core.rest.middleware.KnownHosts",
    "web.middleware.FrontDoor",
    "web.middleware.Languages",
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
        "DIRS": [BASE_DIR / "attendance_project" / "templates"],  # these come before the apps' templates
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
#: The first makes hashes. The second reads the hashes of import_mongo, which the owner's next login renews.
PASSWORD_HASHERS = ["accounts.passwords.BcryptHasher", "accounts.passwords.PlainBcryptHasher"]
#: Counts wrong passwords of the admin's sign-in together with those of the routes.
AUTHENTICATION_BACKENDS = ["accounts.backends.PasswordBackend"]
#: For the admin, the commands and the project's own routes. The clients of the published protocols send shorter
#: passwords; see PASSWORD_STRICT.
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
    "DESCRIPTION": (
        "Every REST route of every protocol, each protocol under its name. The sockets' messages are in"
        " [asyncapi.yaml](/api-docs/asyncapi.yaml).\n\n"
        "To try routes out: log in by `POST /auth/login`, press Authorize, and paste the `token` of the answer."
    ),
    "TAGS": [
        {"name": "canonical", "description": "The protocol to begin with"},
        {"name": "v2", "description": "All that a classroom needs"},
        {"name": "v1", "description": "The canonical protocol in another system's words"},
        {"name": "attentrack", "description": "The routes of AttenTrack's app"},
    ],
    "SWAGGER_UI_SETTINGS": {"persistAuthorization": True, "deepLinking": True},
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_PATCH": False,
    "PREPROCESSING_HOOKS": ["core.rest.openapi.routes_described"],
    "POSTPROCESSING_HOOKS": ["core.rest.openapi.in_order"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From a login."},
            "otpToken": {"type": "http", "scheme": "bearer", "description": "From where the code was asked for."},
        }
    },
}

#: Path prefix → the words of failures that are answered outside the views. Other paths have the envelope.
FAILURES: dict[str, str] = {
    "/api/v2": "dialects.v2.failures.worded",
    "/api/student": "dialects.attentrack.failures.worded",
    "/api/teacher": "dialects.attentrack.failures.worded",
    "/api/attendance": "dialects.attentrack.failures.worded",
    "/api/class": "dialects.attentrack.failures.worded",
    "/api/superadmin": "dialects.attentrack.failures.worded",
    "/setAttendance": "dialects.attentrack.failures.worded",
    "/getAttendance": "dialects.attentrack.failures.worded",
}

#: Path prefix → what shows failures as pages, for people.
FAILURE_PAGES = {"/app/": "web.failures.page"}
#: Of a form that is not from a page of this server, or from one that was open for too long.
CSRF_FAILURE_VIEW = "web.failures.not_from_here"

#: The WebSockets beside /ws: lists of Channels' routes.
WEBSOCKET_ROUTES = [
    "dialects.attentrack.routing.sockets",
    "dialects.v2.live.routing.sockets",
]

#: The protocols at /socket.io. A connection speaks the first protocol whose handshake it has sent.
SOCKETIO_DIALECTS = [
    "dialects.rooms.dialect.Rooms",
    "dialects.events.dialect.Events",
]


def _redis(url: str) -> dict[str, Any]:
    """The channel layer over the Redis at `url`."""
    from redis.asyncio.connection import parse_url  # noqa: PLC0415  slow to import, and most servers have no Redis
    from redis.exceptions import ConnectionError  # noqa: PLC0415, A004

    try:
        number = parse_url(url).get("db", 0)
    except ValueError:
        raise ImproperlyConfigured("REDIS_URL must be redis://host:port/number, rediss://… or unix:///path.") from None
    host = {
        "address": url,
        # Seconds. Without limits a Redis that hangs would be waited for without end.
        "socket_connect_timeout": 2,
        "socket_timeout": 2,
        "retry_on_error": [ConnectionError],  # one attempt, at once: it replaces a connection that was cut
    }
    return {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        # The databases of a Redis share their pub/sub channels, so the channels' names have the database's number.
        "CONFIG": {"prefix": f"attendance:{number}:", "hosts": [host]},
    }


CHANNEL_LAYERS = {
    "default": _redis(REDIS_URL) if REDIS_URL else {"BACKEND": "channels.layers.InMemoryChannelLayer"},
}

#: `core.rest.middleware.Origins` decides which origins may ask. These settings are the headers of the answer, which
#: never allow credentials.
CORS_ALLOW_ALL_ORIGINS = "*" in ALLOWED_ORIGINS
CORS_ALLOW_HEADERS = ("authorization", "content-type", "idempotency-key", "if-match", "if-none-match")

#: The longest HTTP body, bytes. A longer body is answered 413.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
#: A page may send a field for each student of a large class, such as those whose cards are made, and the admin one for
#: each row of a list that is selected. Django's own limit is 1,000.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 20_000
#: The longest WebSocket message, bytes. A longer message closes its socket with 1009.
MAX_MESSAGE_SIZE = 64 * 1024

LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = "web.formats"
#: The languages of pages, of mails, and of what people are told of errors.
LANGUAGES = [
    ("en", "English"),
    ("es", "Español"),
    ("hi", "हिन्दी"),
    ("fr", "Français"),
    ("de", "Deutsch"),
    ("ar", "العربية"),
]
LANGUAGE_COOKIE_PATH = "/app/"
#: Paths whose answers follow the reader's language (`web.middleware.Languages`). Other programs are told English.
TRANSLATED = (
    "/app/",
    "/api/v2/",  # dialects.v2
)
USE_TZ = True

STATIC_URL = "/static/"
#: WhiteNoise finds the files in the apps at start, so nobody needs to run collectstatic.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

#: A cookie of an answer over HTTPS is `Secure` in any case (`core.rest.middleware.AnswerHeaders`).
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_HSTS_SECONDS > 0
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_AGE = 12 * 60 * 60  # seconds: as long as a sign-in at the admin (`accounts.admin_sessions`)
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
#: The Content-Security-Policy of every HTML page, in the form of Django 6's setting of this name: what `AnswerHeaders`
#: does there is Django's own middleware. The pages bring nothing inline, so that no nonce is needed.
SECURE_CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "frame-ancestors": ["'none'"],
}
SILENCED_SYSTEM_CHECKS = [
    "auth.W004",  # the key of an e-mail is unique, and students may have no e-mail
    "security.W003",  # it looks for the name of Django's CSRF middleware; ours (PageCsrf) is a subclass
    "security.W005",  # a school's server must not speak for the hosts below its own
    "security.W008",  # the proxy sends people to HTTPS (docs/deploy.md); a token in plain HTTP is lost before that
    "security.W021",  # whether a host goes into the browsers' list is its owner's choice
]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "redact": {"()": "core.logs.RedactTokens"},
        "client_faults": {"()": "core.logs.DropClientFaults"},
    },
    "formatters": {"text": {"()": "core.logs.TextLines"}, "json": {"()": "core.logs.JsonLines"}},
    "handlers": {
        "console": {"class": "core.logs.CountRepeats", "formatter": LOG_FORMAT, "filters": ["redact"]},
        "nowhere": {"class": "logging.NullHandler"},
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # A line for each request and two for each socket would be too many when a class checks in at once.
        "uvicorn.access": {"level": "WARNING"},
        "uvicorn.error": {"level": "WARNING", "filters": ["client_faults"]},
        "daphne": {"level": "WARNING"},
        "daphne.server": {"level": "INFO"},  # where it listens
        "django": {"level": LOG_LEVEL},
        # Without its own handler, which would print each line a second time.
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        # These two log clients' faults, with tracebacks. The project's handlers log the server's own faults.
        "socketio": {"level": "CRITICAL"},
        "engineio": {"level": "CRITICAL"},
        # It logs a traceback a second while Redis is away. `attendance.live.hints` logs one line.
        "channels_redis": {"level": "CRITICAL"},
        "pymongo": {"level": "WARNING"},  # at lower levels it logs every command, with passwords' hashes
        "psycopg.pool": {"level": "ERROR"},  # it warns of each failed attempt to connect; the project logs one line
        # A wrong Host is the client's fault. With a traceback for each, any stranger could fill the disk.
        "django.security.DisallowedHost": {"handlers": ["nowhere"], "propagate": False},
    },
}
