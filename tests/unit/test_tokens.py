"""accounts.tokens: what a token says, whom it stands for, and which of many are not good any more."""

import time
from types import SimpleNamespace

import jwt
import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError

from accounts import tokens
from accounts.models import User
from accounts.tokens import LIFETIME, Claims
from core import errors
from core.identity import Actor, Role
from tests.support.clients import make_token
from tests.support.environment import JWT_SECRET

SOMEBODY = "ab" * 12


@pytest.fixture
def user(db: None) -> User:
    made = User(name="Ravi", email="Ravi@example.com", role="student", password="!")
    made.save(force_insert=True)
    return made


def test_an_issued_token_is_read_back_as_it_was_meant(user: User) -> None:
    before = int(time.time())
    claims = tokens.read(tokens.issue(user))
    assert (claims.user_id, claims.role, claims.version) == (user.id, "student", 0)
    assert claims.issued_at is not None
    assert before <= claims.issued_at <= time.time()
    assert claims.expires_at == claims.issued_at + LIFETIME
    assert LIFETIME == 24 * 60 * 60


def test_the_actor_is_read_from_the_database_not_from_the_token(user: User) -> None:
    token = make_token(user.id, "student", name="Forged", email="forged@example.com")
    actor, claims = tokens.authenticate(f"Bearer {token}")
    assert actor == Actor(user.id, Role.STUDENT, "Ravi", "Ravi@example.com")
    assert claims.version is None


def test_to_authenticate_costs_one_read(user: User, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    token = tokens.issue(user)
    with django_assert_num_queries(1):
        tokens.authenticate(token)
    with django_assert_num_queries(0), pytest.raises(errors.Unauthorized):
        tokens.authenticate("garbage")


def test_reading_a_token_needs_no_database() -> None:
    claims = tokens.read(make_token(SOMEBODY.upper(), "TEACHER"))
    assert (claims.user_id, claims.role) == (SOMEBODY, "teacher")


@pytest.mark.parametrize(
    "raw", ["", " ", "Bearer", "Bearer ", "bearer \t", "a.b.c", "Bearer a b", "\0", "\udcff", "é", "." * 10_000]
)
def test_no_token_is_unauthorized(raw: str) -> None:
    with pytest.raises(errors.Unauthorized):
        tokens.read(raw)


@pytest.mark.parametrize("left", [60, 60.5])
def test_exp_may_have_a_fraction(left: float) -> None:
    now = int(time.time())
    expires_at = now + left
    token = jwt.encode({"id": SOMEBODY, "exp": expires_at, "iat": now - 0.5}, JWT_SECRET, "HS256")
    claims = tokens.read(token)
    assert claims == Claims(SOMEBODY, None, None, now - 0.5, expires_at, claims.token_id)


def test_a_clock_may_be_half_a_minute_ahead_where_a_token_is_made_and_no_further() -> None:
    now = int(time.time())
    assert tokens.read(make_token(SOMEBODY, "student", iat=now + 30, nbf=now + 30)).issued_at == now + 30
    for claim in ("iat", "nbf"):
        with pytest.raises(errors.Unauthorized):
            tokens.read(make_token(SOMEBODY, "student", **{claim: now + 90}))


def test_no_clock_keeps_an_expired_token_good() -> None:
    with pytest.raises(errors.Unauthorized):
        tokens.read(make_token(SOMEBODY, "student", exp=int(time.time())))


def test_a_token_that_came_too_early_is_good_once_its_time_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    now = time.time()
    # `name` makes this token another than those of other tests: what is verified here stays remembered.
    token = make_token(SOMEBODY, "student", iat=int(now) + 90, name="early")
    with pytest.raises(errors.Unauthorized):
        tokens.read(token)
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: now + 90))
    assert tokens.read(token).user_id == SOMEBODY


@pytest.mark.parametrize("claim", ["sub", "jti"])
def test_another_services_number_in_a_claim_is_what_simplejwt_alone_would_refuse(claim: str) -> None:
    """Where simplejwt takes such a token, it can verify all of them, and PyJWT need not be called here."""
    token = jwt.api_jws.encode(f'{{"id":"{SOMEBODY}","exp":{2**40},"{claim}":5}}'.encode(), JWT_SECRET, "HS256")
    assert tokens.read(token).user_id == SOMEBODY
    with pytest.raises(TokenBackendError):
        TokenBackend("HS256", signing_key=JWT_SECRET).decode(token)  # type: ignore[arg-type]  # it takes raw ones


def test_an_empty_claim_of_the_user_is_not_looked_past() -> None:
    now = int(time.time())
    token = jwt.encode({"userId": "", "id": SOMEBODY, "exp": now + 60}, JWT_SECRET, "HS256")
    with pytest.raises(errors.Unauthorized):
        tokens.read(token)


def test_revoked_are_those_whose_user_changed_or_is_gone(
    user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    good = tokens.read(tokens.issue(user))
    moment = timezone.now()
    foreign = tokens.read(make_token(user.id, "student", iat=int(moment.timestamp())))  # in the second of the change
    old = tokens.read(make_token(user.id, "student", iat=int(time.time()) - 60))
    another_role = tokens.read(make_token(user.id, "teacher"))
    nobody = tokens.read(make_token(SOMEBODY, "student"))
    with django_assert_num_queries(1):
        assert tokens.revoked([good, foreign, old, another_role, nobody]) == {another_role, nobody}
    User.objects.filter(pk=user.pk).update(token_version=1, credentials_changed_at=moment)
    assert tokens.revoked([good, foreign, old]) == {good, old}
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert tokens.revoked([good, foreign, old]) == {good, foreign, old}
    assert tokens.revoked([]) == set()


@pytest.mark.django_db
def test_thousands_of_tokens_are_looked_at_in_few_reads(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    many = [Claims(f"{number:024x}", None, None, None, 0.0, "") for number in range(1200)]
    with django_assert_num_queries(3):
        assert tokens.revoked(many) == set(many)
