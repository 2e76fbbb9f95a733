"""The environment of the test run, set before Django reads it (pyproject.toml loads this as an early plugin)."""

import os
import tempfile

#: Everything that the tests leave behind; a fresh folder for each test process.
DATA_DIR = tempfile.mkdtemp(prefix="attendance-tests-")
#: The servers that the tests start have the same, so that tests can make tokens for them.
JWT_SECRET = "a secret for tests only, and long enough"

for name in ("DATABASE_URL", "LIVE_SESSIONS", "SESSION_IDLE_MINUTES", "DEBUG", "HOST", "PORT"):
    os.environ.pop(name, None)
os.environ["DATA_DIR"] = DATA_DIR
os.environ["JWT_SECRET"] = JWT_SECRET
os.environ["SECRET_KEY"] = "another secret for tests only, as long"
