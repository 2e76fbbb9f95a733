"""A device that has signed in keeps a cookie, by which its owner gets in while others guess at the same address."""

from typing import Any

import pytest
from django.core import signing

from accounts import devices, limits
from accounts.models import User
from core.times import now
from tests.api.rest import JSON, check_described, is_served, make_user, token_of
from tests.support.clients import make_token
from tests.support.http import Client

CREDENTIALS = {"email": "asha@example.com", "password": "secret1"}
#: Where one signs in, with what, and the status of a success.
DOORS = [
    ("/auth/login", CREDENTIALS, 200),
    ("/api/v1/auth/login", CREDENTIALS, 200),
    ("/api/teacher/login", CREDENTIALS, 200),
]
DOORS = [door for door in DOORS if is_served(door[0])]


@pytest.fixture(autouse=True)
def asha(db: None, monkeypatch: pytest.MonkeyPatch) -> User:
    """A teacher with a password; nobody's wait ends while a test runs."""
    moment = now()
    monkeypatch.setattr("accounts.limits.now", lambda: moment)
    user = User(name="Asha", email=CREDENTIALS["email"], role="teacher")
    user.set_password(CREDENTIALS["password"])
    user.save(force_insert=True)
    return user


def post(client: Client, path: str, body: dict[str, str]) -> Any:
    answer = client.post(path, body, JSON)
    check_described(answer)
    return answer


def guess(path: str, body: dict[str, str], times: int = limits.PATIENCE) -> None:
    for _ in range(times):
        assert post(Client(), path, {**body, "password": "wrong"}).status_code == 400


@pytest.mark.parametrize(("path", "body", "status"), DOORS)
def test_a_device_that_signed_in_gets_in_while_others_at_its_address_guess(
    path: str, body: dict[str, str], status: int
) -> None:
    phone = Client()
    assert post(phone, path, body).status_code == status
    guess(path, body)
    refusal = post(Client(), path, body)
    assert (refusal.status_code, refusal["Retry-After"]) == (429, "1")
    assert post(phone, path, body).status_code == status


@pytest.mark.parametrize(("path", "body", "status"), DOORS)
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_a_client_without_cookies_is_known_by_the_token_of_an_earlier_sign_in_also_an_expired_one(
    path: str, body: dict[str, str], status: int, scheme: str, asha: User
) -> None:
    assert post(Client(), path, body).status_code == status
    guess(path, body)
    for token in (token_of(asha), make_token(asha.id, "teacher", exp=1)):
        headers = {"Authorization": scheme + token}
        assert Client().post(path, body, JSON, headers=headers).status_code == status
    others = {"Authorization": token_of(make_user("ravi"))}
    assert Client().post(path, body, JSON, headers=others).status_code == 429


@pytest.mark.parametrize(("path", "body", "status"), DOORS)
def test_no_script_reads_the_cookie_and_it_goes_to_no_other_site_nor_over_plain_http_where_there_is_tls(
    path: str, body: dict[str, str], status: int
) -> None:
    for secure in (False, True):
        answer = Client().post(path, body, JSON, secure=secure)
        cookie = answer.cookies[devices.COOKIE]
        assert (cookie["httponly"], cookie["samesite"], bool(cookie["secure"])) == (True, "Lax", secure)
        assert cookie["max-age"] == 400 * 24 * 60 * 60


def test_who_did_not_get_in_gets_no_cookie() -> None:
    assert devices.COOKIE not in post(Client(), "/auth/login", {**CREDENTIALS, "password": "wrong"}).cookies


def test_a_cookie_that_nobody_here_has_signed_says_nothing(asha: User) -> None:
    guess("/auth/login", CREDENTIALS)
    claimed = {"device": "x", "accounts": [asha.id]}
    for forged in ("", "x", signing.dumps(claimed, salt="another"), signing.dumps(claimed, key="k", salt="x")):
        client = Client()
        client.cookies[devices.COOKIE] = forged
        assert post(client, "/auth/login", CREDENTIALS).status_code == 429


def test_a_device_keeps_the_ten_accounts_that_signed_in_last_and_stays_the_same_device() -> None:
    device = devices.Device()
    for number in [*range(12), 5]:
        device.remember(f"user {number}")
    assert device.accounts == [f"user {number}" for number in (2, 3, 4, 6, 7, 8, 9, 10, 11, 5)]
    client = Client()
    shown = [
        signing.loads(post(client, "/auth/login", CREDENTIALS).cookies[devices.COOKIE].value, salt="accounts.devices")
        for _ in range(2)
    ]
    assert shown[0] == shown[1]
