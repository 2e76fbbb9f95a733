"""The admin's second factor: set up with an app, asked for after the password, codes good once; sessions that end."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pyotp
import pytest
from django.contrib.sessions.models import Session as SignIn
from django.core.management import CommandError, call_command
from django.test import Client

from accounts import admin_sessions, limits, second_factor
from accounts.models import RecoveryCode, SecondFactor, User
from audit.trail import prune_all
from core.identity import Role
from core.times import now
from tests.api.rest import make_user

pytestmark = pytest.mark.django_db

PAGE, INDEX, USERS = "/admin/second-factor/", "/admin/", "/admin/accounts/user/"
STEP = second_factor.STEP


class Clock:
    """A clock of the test's own, seconds since 1970."""

    def __init__(self) -> None:
        self.moment = 1_800_000_000

    def time(self) -> float:
        return float(self.moment)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made, moment = Clock(), now()
    for module in (second_factor, admin_sessions):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=made.time))
    monkeypatch.setattr(limits, "now", lambda: moment)
    return made


@pytest.fixture
def root() -> User:
    return make_user("root", Role.TEACHER, is_staff=True, is_superuser=True)


def browser(user: User) -> Client:
    """Somebody who has given the password."""
    client = Client()
    client.force_login(user)
    return client


def code_of(secret: str, clock: Clock, steps: int = 0) -> str:
    return pyotp.TOTP(secret).generate_otp(clock.moment // STEP + steps)


def wrong_code(secret: str, clock: Clock) -> str:
    good = {code_of(secret, clock, steps) for steps in (-1, 0, 1)}
    return next(code for code in ("000000", "111111", "222222", "333333") if code not in good)


def set_up(client: Client, clock: Clock) -> tuple[str, list[str]]:
    """The app's secret and the recovery codes."""
    page = client.get(PAGE).content.decode()
    found = re.search(r"<code>([A-Z2-7]{32})</code>", page)
    assert found, page
    assert "<svg" in page
    answer = client.post(PAGE, {"code": code_of(found[1], clock)})
    codes = re.findall(r"[0-9a-f]{6}-[0-9a-f]{6}", answer.content.decode())
    assert len(codes) == second_factor.RECOVERY_CODES
    return found[1], codes


def is_in(client: Client) -> bool:
    answer = client.get(INDEX)
    assert answer.status_code in (200, 302)
    return bool(answer.status_code == 200)


def test_sign_ins_of_browsers_that_are_over_go_by_themselves(db: None) -> None:
    for key, hours in (("over", -1), ("good", 1)):
        SignIn.objects.create(session_key=key, session_data="", expire_date=now() + timedelta(hours=hours))
    prune_all()
    assert list(SignIn.objects.values_list("session_key", flat=True)) == ["good"]


def test_without_the_setting_nobody_needs_one(root: User) -> None:
    assert is_in(browser(root))


def test_with_the_setting_the_admin_opens_once_an_app_is_set_up(root: User, settings: Any, clock: Clock) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    client = browser(root)
    for path in (INDEX, USERS, "/admin/password_change/", f"{USERS}{root.pk}/password/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith(PAGE)
        assert "asks everybody at the admin for a second factor" in answer.content.decode()
    set_up(client, clock)
    assert is_in(client)


def test_whoever_has_set_one_up_is_asked_after_the_password_also_without_the_setting(root: User, clock: Clock) -> None:
    secret, _ = set_up(browser(root), clock)
    client = browser(root)
    assert not is_in(client)
    assert client.post(f"{USERS}{root.pk}/delete/", {"post": "yes"}).status_code == 302
    assert User.objects.filter(pk=root.pk).exists()
    answer = client.get(USERS, follow=True)
    assert answer.redirect_chain[-1][0] == f"{PAGE}?next={USERS}"
    assert secret not in answer.content.decode()
    clock.moment += STEP
    answer = client.post(PAGE, {"code": code_of(secret, clock), "next": USERS})
    assert (answer.status_code, answer["Location"]) == (302, USERS)
    assert is_in(client)


@pytest.mark.parametrize("goal", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_the_page_leads_nowhere_else(root: User, clock: Clock, goal: str) -> None:
    secret, _ = set_up(browser(root), clock)
    clock.moment += STEP
    answer = browser(root).post(f"{PAGE}?next={goal}", {"code": code_of(secret, clock), "next": goal})
    assert (answer.status_code, answer["Location"]) == (302, INDEX)


def test_a_code_is_good_once_and_for_a_minute_and_a_half(root: User, clock: Clock) -> None:
    secret, _ = set_up(browser(root), clock)
    client = browser(root)
    assert client.post(PAGE, {"code": code_of(secret, clock)}).status_code == 200  # it has set the app up
    clock.moment += 10 * STEP
    for steps in (-2, 2):
        assert client.post(PAGE, {"code": code_of(secret, clock, steps)}).status_code == 200
    assert client.post(PAGE, {"code": code_of(secret, clock, 1)}).status_code == 302
    for steps in (-1, 0, 1):
        assert browser(root).post(PAGE, {"code": code_of(secret, clock, steps)}).status_code == 200


def test_a_recovery_code_replaces_the_app_once_however_it_is_typed(root: User, clock: Clock) -> None:
    _, codes = set_up(browser(root), clock)
    for typed in (codes[0], codes[1].upper(), codes[2].replace("-", " ")):
        client = browser(root)
        assert client.post(PAGE, {"code": typed}).status_code == 302
        assert is_in(client)
        assert browser(root).post(PAGE, {"code": typed}).status_code == 200
    assert RecoveryCode.objects.count() == len(codes) - 3
    assert codes[3] not in str(list(RecoveryCode.objects.values_list()))


def test_one_persons_codes_are_nobody_elses(root: User, clock: Clock) -> None:
    secret, codes = set_up(browser(root), clock)
    other = make_user("other", Role.TEACHER, is_staff=True)
    set_up(browser(other), clock)
    clock.moment += STEP
    for code in (code_of(secret, clock), codes[0]):
        assert browser(other).post(PAGE, {"code": code}).status_code == 200


@pytest.mark.django_db(transaction=True)  # whoever is refused changes nothing
def test_wrong_codes_cost_a_wait_that_is_said_in_words(root: User, clock: Clock) -> None:
    secret, _ = set_up(browser(root), clock)
    clock.moment += STEP
    client = browser(root)
    for _ in range(limits.PATIENCE):
        answer = client.post(PAGE, {"code": wrong_code(secret, clock)})
        assert "This code is not right" in answer.content.decode()
    answer = client.post(PAGE, {"code": code_of(secret, clock)})
    assert (answer.status_code, answer["Retry-After"]) == (429, "1")
    assert "Too many wrong codes. Please try again in 1 second." in answer.content.decode()
    assert not is_in(client)


def test_a_wrong_code_sets_nothing_up(root: User, settings: Any, clock: Clock) -> None:
    settings.ADMIN_SECOND_FACTOR = True
    client = browser(root)
    found = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(PAGE).content.decode())
    assert found
    answer = client.post(PAGE, {"code": wrong_code(found[1], clock)})
    assert found[1] in answer.content.decode()  # the same app may go on
    assert not second_factor.is_set_up(root)
    assert not is_in(client)


@pytest.mark.parametrize("who", ["nobody", "a teacher", "a disabled superuser"])
def test_the_page_is_for_the_staff_who_have_given_the_password(root: User, who: str) -> None:
    client = Client()
    if who == "a teacher":
        client = browser(make_user("tara", Role.TEACHER))
    if who == "a disabled superuser":
        client = browser(root)
        User.objects.filter(pk=root.pk).update(is_active=False)
    for answer in (client.get(PAGE), client.post(PAGE, {"code": "000000"})):
        assert (answer.status_code, answer["Location"]) == (302, f"/admin/login/?next={PAGE}")


def test_a_superuser_and_the_command_take_a_lost_one_away(root: User, clock: Clock) -> None:
    other = make_user("other", Role.TEACHER, is_staff=True)
    secret, _ = set_up(browser(root), clock)
    set_up(browser(other), clock)
    client = browser(root)
    clock.moment += STEP
    client.post(PAGE, {"code": code_of(secret, clock)})
    answer = client.post(USERS, {"action": "second_factor_remove", "_selected_action": [other.pk]}, follow=True)
    assert "Second factors taken away: 1." in answer.content.decode()
    assert is_in(browser(other))
    call_command("remove_second_factor", "ROOT@example.com", verbosity=0)
    assert is_in(browser(root))
    for email in ("ROOT@example.com", "nobody@example.com"):
        with pytest.raises(CommandError):
            call_command("remove_second_factor", email)


# What the database holds

OLD, NEW = "an older key for tests only, as long", "a newer key for tests only, as long"


def test_neither_the_account_nor_a_session_shows_the_apps_secret(root: User, clock: Clock) -> None:
    client = browser(root)
    found = re.search(r"<code>([A-Z2-7]{32})</code>", client.get(PAGE).content.decode())
    assert found
    assert found[1] not in str(client.session.items())
    secret, _ = set_up(client, clock)
    assert secret == found[1]
    assert secret not in SecondFactor.objects.get().secret


def test_with_another_key_the_one_before_still_reads_until_its_owner_has_signed_in(
    root: User, settings: Any, clock: Clock
) -> None:
    settings.SECRET_KEY = OLD
    secret, codes = set_up(browser(root), clock)
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = NEW, [OLD]
    for code in (codes[0], code_of(secret, clock, 1)):
        assert browser(root).post(PAGE, {"code": code}).status_code == 302
    settings.SECRET_KEY_FALLBACKS = []
    clock.moment += 2 * STEP
    assert browser(root).post(PAGE, {"code": code_of(secret, clock)}).status_code == 302


def test_a_lost_key_lets_nobody_in_and_the_log_says_what_to_do(
    root: User, settings: Any, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SECRET_KEY = OLD
    secret, codes = set_up(browser(root), clock)
    settings.SECRET_KEY = NEW
    clock.moment += STEP
    for code in (codes[0], code_of(secret, clock)):
        assert browser(root).post(PAGE, {"code": code}).status_code == 200
    assert root.pk in caplog.text
    assert "manage.py remove_second_factor" in caplog.text
    assert secret not in caplog.text


def test_a_key_that_changes_while_an_app_is_set_up_shows_another_secret(
    root: User, settings: Any, clock: Clock
) -> None:
    settings.SECRET_KEY_FALLBACKS = []
    settings.SECRET_KEY, client = OLD, browser(root)
    first = client.get(PAGE).content.decode()
    settings.SECRET_KEY = NEW
    client.force_login(root)
    session = client.session
    session["second factor secret"] = "sealed with a key that is gone"
    session.save()
    second = client.get(PAGE).content.decode()
    assert re.findall(r"<code>([A-Z2-7]{32})</code>", first) != re.findall(r"<code>([A-Z2-7]{32})</code>", second)
    set_up(client, clock)


# Sessions


def test_an_hour_without_use_signs_out_and_use_does_not(root: User, clock: Clock) -> None:
    client = browser(root)
    for _ in range(4):
        clock.moment += 3599
        assert is_in(client)
    clock.moment += 3600
    assert not is_in(client)
    clock.moment -= 3600
    assert not is_in(client)


def test_twelve_hours_sign_out_whoever_works_on(root: User, clock: Clock) -> None:
    client = browser(root)
    for _ in range(23):
        clock.moment += 1800
        assert is_in(client)
    clock.moment += 1800
    answer = client.get(USERS, follow=True)
    assert answer.redirect_chain[-1][0] == f"/admin/login/?next={USERS}"
    assert "You were signed out" in answer.content.decode()


@pytest.mark.parametrize(("back", "stays"), [(60, True), (86400, False)])
def test_a_clock_that_is_set_back_by_much_signs_out_rather_than_in_for_longer(
    root: User, clock: Clock, back: int, stays: bool
) -> None:
    client = browser(root)
    clock.moment -= back
    assert is_in(client) is stays


def test_the_last_use_is_noted_once_a_minute(root: User, clock: Clock) -> None:
    client = browser(root)
    noted = []
    for _ in range(4):
        clock.moment += 30
        assert is_in(client)
        noted.append(client.session["seen at"])
    assert len(set(noted)) == 3


def test_signing_out_everywhere_and_another_password_end_the_admins_sessions(root: User) -> None:
    from accounts import tokens

    client = browser(User.objects.get(pk=root.pk))
    assert is_in(client)
    tokens.void_all(root.pk)
    assert not is_in(client)
    client = browser(User.objects.get(pk=root.pk))
    user = User.objects.get(pk=root.pk)
    user.password = "!another"
    user.save()
    assert not is_in(client)


def test_a_sessions_cookie_lives_as_long_as_a_sign_in(settings: Any) -> None:
    assert timedelta(seconds=settings.SESSION_COOKIE_AGE) == admin_sessions.LIFETIME
