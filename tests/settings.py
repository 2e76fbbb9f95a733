"""The project's settings, but that a password costs next to nothing.

At the real cost a hash takes 70 ms. Tests of that cost use the fixture `real_hashes`, or servers with REAL_SETTINGS
(`tests.support.environment`).
"""

from attendance_project.settings import *  # noqa: F403

PASSWORD_HASHERS = ["tests.support.hashing.QuickHasher", "accounts.passwords.PlainBcryptHasher"]
