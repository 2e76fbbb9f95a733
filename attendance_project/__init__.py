"""The project: its settings and what puts its parts together."""

#: The release, by semantic versioning. Everything that names a version reads it here.
__version__ = "0.2.0"
