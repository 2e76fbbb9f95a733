#!/usr/bin/env python
"""The project's command line: `python manage.py help` lists what there is."""

import gc
import os
import sys

if __name__ == "__main__":
    # What is imported stays. Collections meanwhile find next to nothing, and took a fifth of a start: `core.apps` lets
    # the collector begin once the project is loaded.
    gc.disable()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
    if sys.argv[1:2] == ["serve"] and "--rehearsal" in sys.argv:
        os.environ["REHEARSAL"] = "1"  # the settings are read before the options
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        made = os.path.join(".venv", "bin", "python")
        sys.exit(
            f"Django is not installed for this Python. Run: {made} manage.py {' '.join(sys.argv[1:])}"
            if os.path.exists(made)
            else "Django is not installed for this Python. "
            "Run `make serve`, or: python3 -m venv .venv && .venv/bin/pip install -r requirements.txt"
        )
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as failure:
        sys.exit(f"A setting is wrong. {failure}")
    except Exception as failure:
        from core.database.readiness import explain

        words = explain(failure)
        if words is None or "--traceback" in sys.argv:
            raise
        sys.exit(words)
