"""How the tests hash passwords (tests/settings.py)."""

from accounts.passwords import BcryptHasher


class QuickHasher(BcryptHasher):
    """The project's own at bcrypt's lowest cost, one millisecond."""

    rounds = 4
