"""Sets Django up for benchmarks that make databases where DATABASE_URL points. Import it before any model."""

import logging
import os

_given = os.environ.get("DATABASE_URL", "")
os.environ["TEST_DATABASE_URL"] = "" if _given.startswith("sqlite") else _given

import tests.support.environment  # noqa: E402, F401  the lines above tell it which database

logging.disable(logging.INFO)  # the HTTP client's line for each request
