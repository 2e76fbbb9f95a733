"""Benchmarks: what `make bench`, `make bench-scale` and `make bench-docs` run. docs/benchmarks.md says more."""

import os

# Not the tests' settings, whose passwords cost next to nothing: what is measured is what a school runs.
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")
