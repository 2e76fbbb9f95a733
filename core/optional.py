"""Libraries that other libraries import wherever they are installed, for features that nobody here uses."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def without(*modules: str) -> Iterator[None]:
    """Inside the block these modules seem not to be installed, but for those that were imported before."""
    known: dict[str, Any] = sys.modules
    hidden = [module for module in modules if module not in known]
    known.update(dict.fromkeys(hidden))  # to import what is None raises ImportError
    try:
        yield
    finally:
        for module in hidden:
            del known[module]
