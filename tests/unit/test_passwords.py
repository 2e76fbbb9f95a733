"""accounts.passwords: bcrypt over SHA-256 with ten rounds, in its own pool, at the same cost for known and unknown."""

import threading
from typing import Any

import bcrypt
import pytest
from django.contrib.auth.hashers import identify_hasher, make_password

from accounts.passwords import BcryptHasher, hash_password, password_matches

pytestmark = pytest.mark.usefixtures("real_hashes")


def weak(password: str, rounds: int = 4) -> str:
    """A hash of few rounds, to be quick, as an older release might have stored it."""
    salt: Any = bcrypt.gensalt(rounds)  # bytes, whatever the hint says
    return make_password(password, salt=salt)


def renewed(password: str, stored: str | None) -> tuple[bool, list[str]]:
    """What `password_matches` says, and the hashes that it wants stored."""
    hashes: list[str] = []
    return password_matches(password, stored, hashes.append), hashes


def test_a_hash_has_ten_rounds_over_sha256_and_a_salt_of_its_own() -> None:
    first, second = hash_password("secret1"), hash_password("secret1")
    assert first.startswith("bcrypt_sha256$$2b$10$")
    assert first != second
    assert isinstance(identify_hasher(first), BcryptHasher)


@pytest.mark.parametrize(
    "password",
    ["secret1", " secret1 ", "पासवर्ड", "😀" * 3, "x" * 72, "x" * 10_000, "with\tcontrol\x01"],
)
def test_a_password_matches_its_hash_and_no_other_does(password: str) -> None:
    stored = weak(password)
    assert password_matches(password, stored, lambda _: None)
    for other in (password + "x", password[:-1], password.swapcase() + " ", ""):
        assert not password_matches(other, stored, lambda _: None)


def test_passwords_that_differ_after_72_bytes_differ() -> None:
    stored = weak("x" * 72 + "a")
    assert not password_matches("x" * 72 + "b", stored, lambda _: None)
    assert not password_matches("x" * 72, stored, lambda _: None)


def test_an_outdated_hash_is_renewed_by_the_right_password() -> None:
    matches, hashes = renewed("secret1", weak("secret1"))
    assert matches
    assert len(hashes) == 1
    assert hashes[0].startswith("bcrypt_sha256$$2b$10$")
    assert renewed("secret1", hashes[0]) == (True, [])


def test_an_outdated_hash_is_not_renewed_by_a_wrong_password() -> None:
    assert renewed("wrong", weak("secret1")) == (False, [])


def test_nobodys_password_matches_nothing_and_renews_nothing() -> None:
    assert renewed("secret1", None) == (False, [])
    assert renewed("", None) == (False, [])


@pytest.mark.parametrize("stored", ["", "!", "!unusable", "garbage", "md5$x$y"])
def test_a_hash_that_is_none_matches_nothing(stored: str) -> None:
    assert renewed("secret1", stored) == (False, [])


def test_a_hash_is_computed_once_whether_somebody_is_there_or_not_and_in_the_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stored = hash_password("secret1")
    computed: list[tuple[str, bytes]] = []
    real = bcrypt.hashpw

    def count(password: bytes, salt: bytes) -> bytes:
        computed.append((threading.current_thread().name.partition("_")[0], salt[:7]))
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", count)
    for given, hashed in (("wrong", stored), ("wrong", None), ("secret1", stored), ("wrong", "!")):
        computed.clear()
        password_matches(given, hashed, lambda _: None)
        assert computed == [("bcrypt", b"$2b$10$")], (given, hashed)
