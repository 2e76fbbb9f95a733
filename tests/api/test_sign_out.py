"""`POST /auth/logout`: this device's token is good no more, or none is, whoever made it."""

import time
from typing import Any

import jwt
import pytest

from accounts import tokens
from accounts.models import User, VoidedToken
from tests.api.rest import INVALID, UNAUTHORIZED, Rest, make_user, token_of
from tests.support.clients import make_token


@pytest.fixture
def user(db: None) -> User:
    return make_user("Ravi", "student")


def sign_out(rest: Rest, token: str, body: Any = None) -> None:
    assert rest.post("/auth/logout", body, token=token).data == {"message": "Signed out"}


def is_good(rest: Rest, token: str) -> bool:
    answer = rest.get("/auth/me", token=token)
    if answer.status != 200:
        answer.is_failure(401, UNAUTHORIZED)
    return answer.status == 200


@pytest.mark.parametrize("body", [None, {}, {"everywhere": False}])
def test_signing_out_ends_this_token_and_no_other(rest: Rest, user: User, body: Any) -> None:
    other = make_user("Asha")
    here, there, others = token_of(user), token_of(user), token_of(other)
    sign_out(rest, here, body)
    assert not is_good(rest, here)
    assert not is_good(rest, f"Bearer {here}")
    assert is_good(rest, there)
    assert is_good(rest, others)
    rest.post("/auth/logout", token=here).is_failure(401, UNAUTHORIZED)


def test_who_signs_in_again_within_the_same_second_has_a_good_token(rest: Rest, user: User) -> None:
    for _ in range(5):
        token = token_of(user)
        assert is_good(rest, token)
        sign_out(rest, token)
        assert not is_good(rest, token)


def test_signing_out_everywhere_ends_every_token_of_the_person(rest: Rest, user: User) -> None:
    here, there, others = token_of(user), token_of(user), token_of(make_user("Asha"))
    foreign = make_token(user.id, "student", iat=int(time.time()) - 60)
    sign_out(rest, here, {"everywhere": True})
    assert [is_good(rest, token) for token in (here, there, foreign, others)] == [False, False, False, True]
    assert is_good(rest, token_of(user))


def test_a_token_of_another_service_is_ended_too_also_one_that_never_expires(rest: Rest, user: User) -> None:
    for expiry in (3600, 10**12):
        token = make_token(user.id, "student", exp=int(time.time()) + expiry, jti=5)
        assert is_good(rest, token)
        sign_out(rest, token)
        assert not is_good(rest, token)


def test_another_spelling_of_the_signature_does_not_bring_a_token_back(rest: Rest, user: User) -> None:
    token = token_of(user)
    sign_out(rest, token)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    spelled = [token[:-1] + letters[letters.index(token[-1]) // 4 * 4 + bits] for bits in range(4)]
    assert token in spelled
    for spelling in (*spelled, token + "=", f"{token}=="):
        assert not is_good(rest, spelling)


def test_what_is_void_is_forgotten_once_it_would_have_expired(rest: Rest, user: User) -> None:
    sign_out(rest, make_token(user.id, "student"))
    VoidedToken.objects.update(expires_at="2026-01-01T00:00:00Z")
    sign_out(rest, token_of(user))
    assert VoidedToken.objects.count() == 1


def test_signing_out_twice_is_no_error(user: User) -> None:
    claims = tokens.read(token_of(user))
    tokens.void(claims)
    tokens.void(claims)
    assert VoidedToken.objects.count() == 1


def test_the_sockets_of_a_void_token_are_among_the_revoked(user: User) -> None:
    here, there = tokens.read(token_of(user)), tokens.read(token_of(user))
    assert tokens.revoked([here, there]) == set()
    tokens.void(here)
    assert tokens.revoked([here, there]) == {here}
    tokens.void_all(user.id)
    assert tokens.revoked([here, there]) == {here, there}


@pytest.mark.parametrize("body", [{"everywhere": "yes"}, {"everywhere": 1}, {"everywhere": None}, []])
def test_a_bad_body_signs_nobody_out(rest: Rest, user: User, body: Any) -> None:
    token = token_of(user)
    rest.post("/auth/logout", body, token=token).is_failure(400, INVALID)
    assert is_good(rest, token)


def test_the_token_of_an_earlier_sign_in_is_known_though_it_is_void_or_has_expired(user: User) -> None:
    token, expired = token_of(user), make_token(user.id, "student", exp=1)
    tokens.void(tokens.read(token))
    for raw in (token, f"Bearer {token}", expired):
        claims = tokens.earlier_sign_in(raw)
        assert claims is not None
        assert claims.user_id == user.id
    for raw in ("", "x", token[:-5], jwt.encode({"userId": user.id, "exp": 1}, "x" * 32)):
        assert tokens.earlier_sign_in(raw) is None
