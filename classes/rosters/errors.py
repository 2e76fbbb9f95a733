"""The error of this package."""


class RosterError(Exception):
    """The import cannot be done. The message says what to do about it."""
