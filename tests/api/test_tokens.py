"""Tokens on the REST routes: what ours say, which are refused and when, and tokens made by other services."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import bcrypt
import jwt
import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import tokens
from accounts.models import AccountsVersion, User
from accounts.passwords import BcryptHasher
from core import errors
from core.identity import Role
from tests.api.rest import UNAUTHORIZED, UNKNOWN_ID, Rest, School, make_user, token_of
from tests.support.environment import JWT_SECRET

DAY = 24 * 60 * 60
CREDENTIALS = {"email": "asha@example.com", "password": "secret1"}


@pytest.fixture
def user(db: None) -> User:
    return make_user("Ravi", "student")


def sign(claims: dict[str, Any], secret: str = JWT_SECRET, header: dict[str, Any] | None = None) -> str:
    """A token of any claims, which PyJWT's own `encode` would partly refuse to write."""
    return jwt.api_jws.encode(json.dumps(claims).encode(), secret, "HS256", headers=header)


def foreign(user_id: str, **claims: Any) -> str:
    """As another service with the same secret makes it: no `ver`. A claim of None is left out."""
    now = int(time.time())
    made = {"userId": user_id, "role": "student", "iat": now, "exp": now + 3600, **claims}
    return sign({name: value for name, value in made.items() if value is not None})


def is_good(rest: Rest, token: str, user: User) -> bool:
    """Whether `token` is taken, and then stands for `user`; refused, it must be so in the contract's words."""
    answer = rest.get("/auth/me", token=token)
    if answer.status == 200:
        assert answer.data["_id"] == user.id
        return True
    answer.is_failure(401, UNAUTHORIZED)
    return False


def encoded(value: bytes | str) -> str:
    return base64.urlsafe_b64encode(value.encode() if isinstance(value, str) else value).rstrip(b"=").decode()


# Ours


def test_our_tokens_say_who_and_how_long_and_nothing_else(rest: Rest) -> None:
    rest.post("/auth/signup", {"name": "Asha", "role": "teacher", **CREDENTIALS})
    before = int(time.time())
    token = rest.post("/auth/login", CREDENTIALS).data["token"]
    after = int(time.time())
    user = User.objects.get()
    claims = jwt.decode(token, JWT_SECRET, ["HS256"])
    assert set(claims) == {"userId", "id", "role", "ver", "iat", "exp", "jti"}
    assert (claims["userId"], claims["id"], claims["role"], claims["ver"]) == (user.id, user.id, "teacher", 0)
    assert before <= claims["iat"] <= after
    assert claims["exp"] == claims["iat"] + DAY
    assert jwt.get_unverified_header(token)["alg"] == "HS256"


@pytest.mark.parametrize("form", ["{}", "Bearer {}", "bearer {}", "BEARER {}", "Bearer  {}", " {} ", "Bearer {} "])
def test_a_token_is_good_with_and_without_bearer(rest: Rest, user: User, form: str) -> None:
    assert is_good(rest, form.format(token_of(user)), user)


@pytest.mark.parametrize(
    "form", ["Basic {}", "Token {}", "Bearer Bearer {}", "Bearer", "Bearer ", "{},{}", "Bearer,{}"]
)
def test_another_scheme_is_no_token(rest: Rest, user: User, form: str) -> None:
    token = token_of(user)
    assert not is_good(rest, form.format(token, token), user)


def test_no_token_is_refused_and_one_in_the_url_or_a_cookie_counts_for_nothing(rest: Rest, user: User) -> None:
    token = token_of(user)
    rest.get("/auth/me").is_failure(401, UNAUTHORIZED)
    rest.get(f"/auth/me?token={token}").is_failure(401, UNAUTHORIZED)
    rest.client.cookies["token"] = token
    rest.get("/auth/me").is_failure(401, UNAUTHORIZED)


def by_hand(payload: str, algorithm: str) -> str:
    """A token of another algorithm, made with our secret, which PyJWT finds too short for it."""
    signed = f"{encoded(json.dumps({'alg': algorithm}))}.{payload}"
    digest = {"HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]
    return f"{signed}.{encoded(hmac.new(JWT_SECRET.encode(), signed.encode(), digest).digest())}"


def altered(token: str) -> dict[str, str]:
    """What somebody might make of a good token."""
    header, payload, signature = token.split(".")
    claims = jwt.decode(token, JWT_SECRET, ["HS256"])
    as_teacher = encoded(json.dumps({**claims, "role": "teacher"}))
    none = '{"alg":"none","typ":"JWT"}'

    def headed(header: str | bytes, signed: str = signature) -> str:
        return f"{encoded(header)}.{payload}.{signed}"

    return {
        "empty": "",
        "blank": " ",
        "garbage": "garbage",
        "dots": "..",
        "three parts": "a.b.c",
        "null": "null",
        "undefined": "undefined",
        "object": "[object Object]",
        "not latin": "\u00e9\u00ff" * 20,
        "no signature": f"{header}.{payload}.",
        "two parts": f"{header}.{payload}",
        "four parts": f"{token}.{signature}",
        "another payload": f"{header}.{as_teacher}.{signature}",
        "signature cut": token[:-2],
        "signature of another": f"{header}.{payload}.{by_hand(payload, 'HS512').split('.')[2]}",
        "alg none": headed(none, ""),
        "alg none, signed": headed(none),
        "alg None": headed('{"alg":"None"}', ""),
        "no alg": headed('{"typ":"JWT"}'),
        "alg a list": headed('{"alg":["HS256"]}'),
        "alg null": headed('{"alg":null}'),
        "header a list": headed("[]"),
        "header deep": headed("[" * 3000),
        "header not JSON": headed(b"\xff\xfe"),
        "HS384": by_hand(payload, "HS384"),
        "HS512": by_hand(payload, "HS512"),
        "another secret": jwt.encode(claims, JWT_SECRET + "x", "HS256"),
        "Django's secret": jwt.encode(claims, "another secret for tests only, as long", "HS256"),
        "payload a list": sign([claims]),  # type: ignore[arg-type]
        "payload a string": sign("x"),  # type: ignore[arg-type]
        "very long": "x" * 100_000,
    }


@pytest.mark.parametrize("how", list(altered(tokens._backend.encode({"exp": 2**31}))))
def test_what_is_not_our_token_is_refused(rest: Rest, user: User, how: str) -> None:
    assert not is_good(rest, altered(token_of(user))[how], user)


@given(raw=st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: f"{encoded(raw)}.{encoded(raw)}.AAAA"))
def test_no_text_at_all_crashes_the_reading_of_a_token(raw: str) -> None:
    with pytest.raises(errors.Unauthorized):
        tokens.read(raw)


def test_an_expired_token_is_refused_from_its_last_second_on(rest: Rest, user: User) -> None:
    now = int(time.time())
    ours = jwt.decode(token_of(user), JWT_SECRET, ["HS256"])
    assert is_good(rest, sign({**ours, "exp": now + 60}), user)
    assert not is_good(rest, sign({**ours, "exp": now}), user)
    assert not is_good(rest, sign({**ours, "exp": now - DAY}), user)


# When a token stops being good


def change_password(user: User) -> None:
    user.password = "!another"
    user.save()


def change_role(user: User) -> None:
    user.role = Role.TEACHER
    user.save(update_fields=["role"])


def disable(user: User) -> None:
    user.is_active = False
    user.save()


def delete(user: User) -> None:
    user.delete()


@pytest.mark.parametrize("change", [change_password, change_role, disable, delete])
@pytest.mark.parametrize("make", [token_of, lambda user: foreign(user.id, iat=int(time.time()) - 60)])
def test_a_token_ends_with_a_change_of_its_user(
    rest: Rest, user: User, change: Callable[[User], None], make: Callable[[User], str]
) -> None:
    token = make(user)
    assert is_good(rest, token, user)
    change(User.objects.get(pk=user.pk))
    assert not is_good(rest, token, user)


def test_a_changed_and_changed_back_role_and_access_leave_the_old_token_refused(rest: Rest, user: User) -> None:
    """All within one second, which `iat` could not tell."""
    old = token_of(user)
    for fields in ({"role": "teacher"}, {"role": "student"}, {"is_active": False}, {"is_active": True}):
        changed = User.objects.get(pk=user.pk)
        for name, value in fields.items():
            setattr(changed, name, value)
        changed.save()
    assert not is_good(rest, old, user)
    assert is_good(rest, token_of(user), user)


def test_each_change_raises_the_version_once_and_other_changes_do_not(user: User) -> None:
    user = User.objects.get(pk=user.pk)
    number = AccountsVersion.current()
    user.name, user.email = "Ravi K", "ravi.k@example.com"
    user.save()
    assert (user.token_version, AccountsVersion.current()) == (0, number)
    user.role, user.is_active = Role.TEACHER, False
    user.save()
    assert (user.token_version, AccountsVersion.current()) == (1, number + 1)
    user.save()
    assert User.objects.get(pk=user.pk).token_version == 1


@pytest.mark.parametrize("ver", [1, -1, 0.5, "0", [], {}, "x"])
def test_a_version_that_is_not_the_users_is_refused(rest: Rest, user: User, ver: Any) -> None:
    assert not is_good(rest, foreign(user.id, ver=ver), user)


def test_a_token_with_the_users_version_minds_no_clock(rest: Rest, user: User) -> None:
    changed = User.objects.get(pk=user.pk)
    change_password(changed)
    assert is_good(rest, foreign(user.id, ver=1, iat=int(time.time()) - DAY), user)


@pytest.mark.parametrize("role", ["teacher", "admin", "", "studen", "student "])
def test_a_token_with_another_role_than_the_users_is_refused(rest: Rest, user: User, role: str) -> None:
    assert not is_good(rest, foreign(user.id, role=role), user)
    assert not is_good(rest, foreign(user.id, role=role, ver=0), user)


# Tokens of other services


@pytest.mark.parametrize("role", ["student", "STUDENT", "Student", None])
def test_another_services_token_is_good_with_the_role_in_any_case_or_none(
    rest: Rest, user: User, role: str | None
) -> None:
    assert is_good(rest, foreign(user.id, role=role), user)


@pytest.mark.parametrize("claim", ["userId", "id", "_id", "sub"])
def test_the_user_may_stand_in_one_of_four_claims(rest: Rest, user: User, claim: str) -> None:
    assert is_good(rest, foreign(user.id, **{"userId": None, claim: user.id}), user)
    assert is_good(rest, foreign(user.id, **{"userId": None, claim: user.id.upper()}), user)


@pytest.mark.parametrize(
    ("first", "second"), [("userId", "id"), ("userId", "sub"), ("id", "_id"), ("id", "sub"), ("_id", "sub")]
)
def test_where_two_claims_name_a_user_the_first_in_order_counts(
    rest: Rest, user: User, first: str, second: str
) -> None:
    other = make_user("Somebody")
    claims: dict[str, Any] = {"userId": None, first: user.id, second: other.id}
    assert is_good(rest, foreign(user.id, **claims), user)
    assert not is_good(rest, foreign(user.id, **{**claims, first: UNKNOWN_ID}), user)


@pytest.mark.parametrize("user_id", [5, True, [], {"$ne": 1}, "abc", "", "z" * 24, UNKNOWN_ID, "f" * 25])
def test_a_token_of_nobody_is_refused(rest: Rest, user: User, user_id: Any) -> None:
    assert not is_good(rest, foreign(user_id), user)


def test_a_token_that_names_nobody_is_refused(rest: Rest, user: User) -> None:
    assert not is_good(rest, foreign(user.id, userId=None), user)


def test_other_claims_of_another_service_do_no_harm(rest: Rest, user: User) -> None:
    """A `sub` or `jti` that is no string, an audience, a clock that is ahead: signature, exp and user decide."""
    ahead = int(time.time()) + 30
    for claims in ({"sub": 5}, {"jti": 5}, {"aud": "school"}, {"iss": 3}, {"iat": ahead}, {"name": "x"}, {"iat": None}):
        assert is_good(rest, foreign(user.id, **claims), user), claims


@pytest.mark.parametrize("exp", [None, "soon", "9999999999", [], {}, True, float("nan"), float("inf"), -1, 0])
def test_a_token_without_a_good_exp_is_refused(rest: Rest, user: User, exp: Any) -> None:
    assert not is_good(rest, foreign(user.id, exp=exp), user)
    assert not is_good(rest, foreign(user.id, exp=exp, ver=0), user)


def test_a_token_that_is_not_good_yet_is_refused(rest: Rest, user: User) -> None:
    assert not is_good(rest, foreign(user.id, nbf=int(time.time()) + 60), user)
    assert is_good(rest, foreign(user.id, nbf=int(time.time()) - 60), user)


@pytest.mark.parametrize("kind", ["refresh", "sliding", "Access", "", None, 5])
def test_a_token_that_says_it_is_no_access_token_signs_nobody_in(rest: Rest, user: User, kind: Any) -> None:
    assert is_good(rest, foreign(user.id, token_type="access"), user)
    made = {"userId": user.id, "iat": int(time.time()), "exp": int(time.time()) + 3600, "token_type": kind}
    assert not is_good(rest, sign(made), user)


@pytest.mark.parametrize("iat", ["yesterday", [], {}])
def test_a_token_whose_time_of_issue_is_no_time_is_refused(rest: Rest, user: User, iat: Any) -> None:
    assert not is_good(rest, foreign(user.id, iat=iat), user)


def test_a_foreign_token_is_good_from_the_second_of_the_last_change_on(rest: Rest, user: User) -> None:
    changed = timezone.now().replace(microsecond=900_000)
    User.objects.filter(pk=user.pk).update(credentials_changed_at=changed)
    second = int(changed.timestamp())
    assert not is_good(rest, foreign(user.id, iat=second - 1), user)
    assert not is_good(rest, foreign(user.id, iat=second - 0.5), user)
    assert not is_good(rest, foreign(user.id, iat=None), user)
    assert is_good(rest, foreign(user.id, iat=second), user)
    assert is_good(rest, foreign(user.id, iat=second + 1), user)


# Passwords


def sign_up_with_few_rounds(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> User:
    """An account whose hash an older release stored, with other rounds."""
    with monkeypatch.context() as patched:
        patched.setattr(BcryptHasher, "rounds", 4)
        rest.post("/auth/signup", {"name": "Asha", "role": "student", **CREDENTIALS})
    user = User.objects.get()
    assert user.password.startswith("bcrypt_sha256$$2b$04$")
    return user


@pytest.mark.usefixtures("real_hashes")
def test_a_renewed_hash_of_the_same_password_ends_no_token(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    user = sign_up_with_few_rounds(rest, monkeypatch)
    before = token_of(user)
    assert rest.post("/auth/login", CREDENTIALS).status == 200
    renewed = User.objects.get()
    assert renewed.password.startswith("bcrypt_sha256$$2b$10$")
    assert (renewed.token_version, renewed.credentials_changed_at) == (0, None)
    assert is_good(rest, before, user)
    assert rest.post("/auth/login", CREDENTIALS).status == 200


@pytest.mark.usefixtures("real_hashes")
def test_a_wrong_password_renews_no_hash(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = sign_up_with_few_rounds(rest, monkeypatch).password
    rest.post("/auth/login", {**CREDENTIALS, "password": "wrong"}).is_failure(400, "Invalid email or password")
    assert User.objects.get().password == stored


@pytest.mark.usefixtures("real_hashes")
def test_unknown_disabled_and_wrong_cost_the_same_hashing(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    rest.post("/auth/signup", {"name": "Asha", "role": "student", **CREDENTIALS})
    gone = User(name="Gone", email="gone@example.com", role="student", password=User.objects.get().password)
    gone.is_active = False
    gone.save(force_insert=True)
    make_user("Unusable")
    hashed: list[bytes] = []
    real = bcrypt.hashpw

    def count(password: bytes, salt: bytes) -> bytes:
        hashed.append(salt[:7])
        return real(password, salt)

    monkeypatch.setattr(bcrypt, "hashpw", count)
    for email in ("asha@example.com", "nobody@example.com", "gone@example.com", "unusable@example.com"):
        hashed.clear()
        answer = rest.post("/auth/login", {"email": email, "password": "wrong password"})
        answer.is_failure(400, "Invalid email or password")
        assert hashed == [b"$2b$10$"], email


def test_passwords_that_differ_after_72_bytes_are_different(rest: Rest) -> None:
    password = "x" * 72
    rest.post("/auth/signup", {"name": "Asha", "role": "student", **CREDENTIALS, "password": password + "a"})
    for wrong in (password + "b", password):
        answer = rest.post("/auth/login", {**CREDENTIALS, "password": wrong})
        answer.is_failure(400, "Invalid email or password")
    assert rest.post("/auth/login", {**CREDENTIALS, "password": password + "a"}).status == 200


def test_a_student_made_teacher_teaches_with_a_new_token_only(rest: Rest, school: School) -> None:
    old = token_of(school.student)
    change_role(User.objects.get(pk=school.student.pk))
    rest.post("/class", {"className": "Art"}, token=old).is_failure(401, UNAUTHORIZED)
    assert rest.post("/class", {"className": "Art"}, token=token_of(school.student)).status == 201
