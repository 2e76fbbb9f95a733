"""Signing in with the school's own accounts, at a real provider of OpenID Connect."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session
from django.conf import settings as django_settings
from django.core import signing

from accounts import openid
from accounts.models import Origin, SchoolAccount, User
from accounts.openid import _identity
from accounts.school_provider import Asked
from audit.models import Entry
from audit.trail import trail
from core import errors
from core.identity import Role
from core.limits import SCHOOL_SIGN_INS
from core.rest.routes import is_heavy
from tests.support.clients import PASSWORD
from tests.support.http import Client
from tests.support.node import needs_node
from tests.support.processes import free_port
from tests.support.provider import SECRET, Provider, sign_in_there
from tests.web.people import text_of, words_of
from web.views import school

pytestmark = [pytest.mark.django_db, needs_node]

START, BACK = "/app/sign-in/school", "/app/sign-in/school/back"
ASHA = {"sub": "asha-1", "email": "Asha@school.example", "email_verified": True, "name": "Asha Rao"}


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider("http://testserver") as running:
        yield running


@pytest.fixture(autouse=True)
def offered(provider: Provider, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = provider.url, "school", SECRET
    settings.SIGNUP = "domains"
    settings.SIGNUP_DOMAINS = ["school.example"]
    monkeypatch.setattr(openid, "_paused_until", 0.0)


def back_of(client: Client, claims: dict[str, Any] = ASHA, goal: str = "/app/me/") -> str:
    """The path and query with which the browser comes back, after the person has signed in at the provider."""
    there = client.get(START, {"next": goal})["Location"]
    parts = urlsplit(sign_in_there(there, claims))
    return f"{parts.path}?{parts.query}"


def come(client: Client, claims: dict[str, Any] = ASHA) -> Any:
    return client.get(back_of(client, claims))


def refusal(client: Client, answer: Any) -> str:
    """What the sign-in tells somebody who was not let in."""
    assert (answer.status_code, answer["Location"].partition("?")[0]) == (302, "/app/sign-in")
    assert client.get("/app/me/").status_code == 302
    html = text_of(client.get(answer["Location"]))
    assert 'name="password"' in html  # the way with a password stays
    return words_of(html)


def person(email: str = "asha@school.example", **fields: Any) -> User:
    user = User(name="Asha", email=email, role=fields.pop("role", Role.STUDENT), **fields)
    user.set_password(PASSWORD)
    user.save(force_insert=True)
    return user


def test_the_first_sign_in_makes_the_account_and_the_second_finds_it_whatever_the_address_is_by_then() -> None:
    client = Client()
    answer = come(client)
    assert (answer.status_code, answer["Location"]) == (302, "/app/me/")
    assert "Asha Rao" in text_of(client.get("/app/me/"))
    user = User.objects.get()
    assert (user.email, user.role, user.origin, user.is_proved) == (ASHA["email"], "student", Origin.SCHOOL, True)
    assert not user.has_usable_password()
    again = Client()
    come(again, {**ASHA, "email": "asha.mehta@school.example"})
    assert "Asha Rao" in text_of(again.get("/app/me/"))
    assert User.objects.get() == user


def test_the_sign_in_offers_the_schools_accounts_by_their_name(settings: Any) -> None:
    settings.OIDC_NAME = "Springfield <High>"
    html = text_of(Client().get("/app/sign-in?next=/app/me/"))
    assert "Sign in with Springfield &lt;High&gt;" in html
    assert f'href="{START}?next=/app/me/"' in html
    settings.OIDC_ISSUER = ""
    assert START not in text_of(Client().get("/app/sign-in"))
    for path in (START, BACK, "/app/sign-out/school"):
        assert Client().get(path).status_code == 404


def test_the_browser_is_sent_with_a_challenge_a_state_and_a_nonce_and_keeps_them_for_itself() -> None:
    client = Client()
    asked = parse_qs(urlsplit(client.get(START)["Location"]).query)
    assert (asked["response_type"], asked["code_challenge_method"]) == (["code"], ["S256"])
    assert all(len(asked[name][0]) >= 43 for name in ("state", "nonce", "code_challenge"))
    assert asked["redirect_uri"] == [f"http://testserver{BACK}"]
    cookie = client.cookies[school.COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", START)
    assert django_settings.SESSION_COOKIE_NAME not in client.cookies  # nothing is stored for who only asks


def test_an_account_is_joined_through_its_address_and_keeps_its_role_and_the_schools_password() -> None:
    user = person(role=Role.TEACHER)
    come(Client())
    user.refresh_from_db()
    assert (User.objects.count(), user.role, user.is_proved) == (1, "teacher", True)
    assert user.check_password(PASSWORD)
    assert SchoolAccount.objects.get().user == user


def test_who_signed_up_with_somebodys_address_is_out_once_that_person_comes() -> None:
    person(origin=Origin.SELF)
    stranger, asha = Client(), Client()
    stranger.post("/app/sign-in", {"login": ASHA["email"], "password": PASSWORD})
    come(asha)
    assert stranger.get("/app/me/").status_code == 302
    assert stranger.post("/app/sign-in", {"login": ASHA["email"], "password": PASSWORD}).status_code == 400
    assert asha.get("/app/me/").status_code == 200


def test_an_address_that_has_gone_to_somebody_else_opens_not_the_account_of_who_had_it() -> None:
    come(Client())
    client = Client()
    said = refusal(client, come(client, {**ASHA, "sub": "another-asha"}))
    assert "belonged to another account" in said
    assert SchoolAccount.objects.count() == 1


@pytest.mark.parametrize("claims", [{**ASHA, "email_verified": False}, {"sub": "asha-1", "name": "Asha Rao"}])
def test_an_address_that_the_provider_does_not_vouch_for_is_refused(claims: dict[str, Any]) -> None:
    user = person()
    client = Client()
    trail.flush()  # what tests before this one noted
    Entry.objects.all().delete()
    assert "does not say that your e-mail address is yours" in refusal(client, come(client, claims))
    user.refresh_from_db()
    assert not user.is_proved
    trail.flush()
    assert Entry.objects.filter(action="sign_in", outcome="refused", way="school account").count() == 1


def test_the_domains_and_groups_of_the_settings_alone_may_come(settings: Any) -> None:
    settings.OIDC_DOMAINS, settings.OIDC_GROUPS = ["school.example"], ["pupils", "staff"]
    settings.OIDC_CLAIM = "realm_access.roles"
    pupil = {**ASHA, "realm_access": {"roles": ["pupils"]}}
    for other in ({**pupil, "email": "asha@elsewhere.example"}, {**ASHA, "realm_access": {"roles": ["guests"]}}, ASHA):
        client = Client()
        assert "not one of those that may come in here" in refusal(client, come(client, other))
    assert not User.objects.exists()
    assert come(Client(), pupil)["Location"] == "/app/me/"


@pytest.mark.parametrize("named", ["staff", "@School.example"])
def test_a_new_accounts_role_is_of_a_claim_or_of_the_addresss_domain(settings: Any, named: str) -> None:
    settings.OIDC_TEACHERS = ["others", named]
    come(Client(), {**ASHA, "groups": ["staff"]})
    assert User.objects.get().role == Role.TEACHER
    settings.SIGNUP = "open"
    come(Client(), {**ASHA, "sub": "b", "email": "ben@pupils.school.example"})
    assert User.objects.get(email__startswith="ben").role == Role.STUDENT


@pytest.mark.parametrize(
    ("policy", "said"), [("invited", "You need an invitation"), ("closed", "Nobody can make an account by themselves")]
)
def test_who_has_an_account_comes_in_with_any_policy_and_a_new_one_is_the_policys_to_allow(
    settings: Any, policy: str, said: str
) -> None:
    settings.SIGNUP = policy
    client = Client()
    assert said in refusal(client, come(client))
    assert not User.objects.exists()
    person()
    assert come(client)["Location"] == "/app/me/"


def test_a_disabled_account_is_refused_and_the_log_says_whose(caplog: pytest.LogCaptureFixture) -> None:
    come(Client())
    User.objects.update(is_active=False)
    client = Client()
    assert "Your account here is switched off." in refusal(client, come(client))
    told: list[Any] = [record for record in caplog.records if getattr(record, "event", "") == "sign_in_failed"]
    assert [record.fields for record in told] == [{"account": User.objects.get().id}]


def test_an_answer_is_good_once_and_for_the_browser_that_asked() -> None:
    client, other = Client(), Client()
    back = back_of(client)
    assert "begun in another window" in refusal(other, other.get(back))  # it has asked for nothing
    other.get(START)
    assert "begun in another window" in refusal(other, other.get(back))  # it has asked for another one
    kept = client.cookies[school.COOKIE].value
    assert client.get(back)["Location"] == "/app/me/"
    assert "begun in another window" in words_of(text_of(client.get(client.get(back)["Location"], follow=True)))
    thief = Client()
    thief.cookies[school.COOKIE] = kept
    assert "begun in another window" in refusal(thief, thief.get(back))  # the code was used


def test_a_token_with_another_nonce_and_a_code_with_another_verifier_are_refused() -> None:
    for changed in ("nonce", "verifier"):
        client = Client()
        back = back_of(client)
        kept = signing.loads(client.cookies[school.COOKIE].value, salt=school._SALT)
        kept["asked"][changed] = "x" * 64
        client.cookies[school.COOKIE] = signing.dumps(kept, salt=school._SALT, compress=True)
        assert "begun in another window" in refusal(client, client.get(back))
    assert not User.objects.exists()


def test_a_code_that_is_too_old_is_refused(settings: Any) -> None:
    settings.OIDC_CLIENT_ID = "late"
    client = Client()
    assert "too long ago" in refusal(client, come(client))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("access_denied", "did not let you in"),
        ("temporarily_unavailable", "cannot be reached"),
        ("<b>anything</b>", "did not let you in"),
    ],
)
def test_an_error_of_the_provider_is_said_in_words(error: str, said: str) -> None:
    client = Client()
    state = parse_qs(urlsplit(client.get(START)["Location"]).query)["state"][0]
    told = refusal(client, client.get(BACK, {"error": error, "error_description": "shown nowhere", "state": state}))
    assert said in told
    assert "anything" not in told
    assert "shown nowhere" not in told


def test_without_the_provider_the_password_is_still_good(settings: Any) -> None:
    settings.OIDC_ISSUER = f"http://127.0.0.1:{free_port()}"
    person()
    client = Client()
    assert "cannot be reached at the moment" in refusal(client, client.get(START))
    settings.OIDC_ISSUER += "/"  # nobody waits again so soon
    assert "cannot be reached at the moment" in refusal(client, client.get(START))
    assert client.post("/app/sign-in", {"login": ASHA["email"], "password": PASSWORD}).status_code == 302


def test_a_secret_that_the_provider_does_not_take_is_an_error_for_the_operator(
    settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    back = back_of(client)
    settings.OIDC_CLIENT_SECRET = "another"
    assert "cannot be reached" in refusal(client, client.get(back))
    assert "OIDC_CLIENT_SECRET" in caplog.text


def test_failed_answers_of_an_address_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("accounts.school_accounts.SCHOOL_SIGN_INS", replace(SCHOOL_SIGN_INS, fixed=2))
    client = Client()
    for _ in range(2):
        refusal(client, _denied(client))
    assert "Too many attempts." in refusal(client, _denied(client))


def _denied(client: Client) -> Any:
    state = parse_qs(urlsplit(client.get(START)["Location"]).query)["state"][0]
    return client.get(BACK, {"error": "access_denied", "state": state})


def test_signing_out_offers_the_providers_sign_out_to_who_came_from_there(provider: Provider) -> None:
    client = Client()
    come(client)
    left = client.post("/app/sign-out")["Location"]
    assert "/app/sign-out/school" in text_of(client.get(left))
    out = urlsplit(client.get("/app/sign-out/school")["Location"])
    assert f"{out.scheme}://{out.netloc}{out.path}" == f"{provider.url}/session/end"
    assert parse_qs(out.query) == {
        "client_id": ["school"],
        "post_logout_redirect_uri": ["http://testserver/app/sign-in"],
    }
    person("ben@school.example")
    client.post("/app/sign-in", {"login": "ben@school.example", "password": PASSWORD})
    assert client.post("/app/sign-out")["Location"] == "/app/sign-in"


def test_nothing_of_the_provider_is_kept_but_who_it_is(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    fetch = OAuth2Session.fetch_token

    def watched(self: Any, *args: Any, **kwargs: Any) -> Any:
        token = fetch(self, *args, **kwargs)
        seen.extend([kwargs["code"], token["access_token"], token["id_token"]])
        return token

    monkeypatch.setattr(OAuth2Session, "fetch_token", watched)
    client = Client()
    back = back_of(client)
    with caplog.at_level(logging.DEBUG):
        client.get(back)
    trail.flush()
    kept = [str(dict(client.session)), str(list(SchoolAccount.objects.values())), str(list(Entry.objects.values()))]
    assert len(seen) == 3
    for secret in seen:
        assert all(secret not in text for text in (caplog.text, client.cookies.output(), *kept))


def test_what_asks_the_provider_keeps_no_thread_from_passwords_and_other_pages() -> None:
    assert is_heavy(START)
    assert is_heavy(BACK)
    assert not is_heavy("/app/sign-in")


@pytest.mark.parametrize(
    ("claims", "is_vouched"),
    [
        ({"email_verified": True}, True),
        ({"email_verified": "true"}, True),
        ({"email_verified": "false"}, False),
        ({"xms_edov": True}, True),  # Entra sends no `email_verified`
        ({"xms_edov": 1}, True),
        ({"xms_edov": "1"}, True),
        ({"xms_edov": 0}, False),
        ({"email_verified": False, "xms_edov": True}, False),
        ({}, False),
    ],
)
def test_providers_vouch_for_an_address_in_several_ways(claims: dict[str, Any], is_vouched: bool) -> None:
    said = {"sub": "1", "email": "a@school.example", **claims}
    if is_vouched:
        assert _identity(said).email == "a@school.example"
    else:
        with pytest.raises(errors.SchoolAddressUnproved):
            _identity(said)


def test_googles_accounts_of_no_school_are_told_from_the_schools(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_DOMAINS = "https://accounts.google.com", ["school.example"]
    said = {"sub": "1", "email": "asha@school.example", "email_verified": True}
    kept = urlencode({"state": "s"})
    for claims, is_let_in in ((said, False), ({**said, "hd": "school.example"}, True)):
        identity = _identity(claims)
        monkeypatch.setattr("accounts.openid.answered", lambda *given, found=identity, **more: found)
        client = Client()
        client.cookies[school.COOKIE] = signing.dumps(
            {"asked": Asked("s", "n", "v").kept(), "goal": "/app/me/"}, salt=school._SALT, compress=True
        )
        assert (client.get(f"{BACK}?{kept}")["Location"] == "/app/me/") is is_let_in
