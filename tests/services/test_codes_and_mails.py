"""Mails are no megaphone, and codes that one person asks for harm nobody else."""

from datetime import timedelta

import pytest

from accounts import codes, mail, proofs, registration
from accounts.codes import Asked, Issued, Purpose
from accounts.models import OneTimeCode, User
from core import errors
from core.identity import Role
from core.limits import Limit
from core.times import now
from tests.services.conftest import make_users

pytestmark = pytest.mark.django_db(transaction=True)

#: No code begins with a 0.
WRONG = "000000"
HOME, SCHOOL, ELSEWHERE = "198.51.100.7", "203.0.113.9", "192.0.2.44"


@pytest.fixture(autouse=True)
def no_mail(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """To whom a mail was to go."""
    to: list[str] = []
    monkeypatch.setattr(mail, "_submit", lambda message, taken=None: to.extend(message.to))
    return to


@pytest.fixture
def dana() -> User:
    return make_users(Role.STUDENT, 1)[0]


def asked(issued: Issued, purpose: Purpose = Purpose.RECOVER) -> Asked:
    return codes.read_token(issued.token, purpose)


def try_code(user: User, code: str, *, address: str | None = None, asked: Asked | None = None) -> bool:
    try:
        codes.check(user_id=user.id, purpose=Purpose.RECOVER, code=code, address=address, asked=asked)
    except errors.InvalidCode:
        return False
    return True


def test_each_code_is_good_until_its_own_time_however_many_are_asked_for(dana: User) -> None:
    first, second, third = (codes.issue(user=dana, purpose=Purpose.RECOVER, address=HOME) for _ in range(3))
    newest = asked(third)
    for issued in (first, second, third):
        assert try_code(dana, str(issued.code), address=HOME, asked=newest)
    OneTimeCode.objects.filter(pk=asked(second).code_id).update(expires_at=now())
    if second.code not in (first.code, third.code):
        assert not try_code(dana, str(second.code), address=HOME, asked=newest)
    assert try_code(dana, str(first.code), address=HOME, asked=newest)


def test_old_codes_are_deleted_when_a_new_one_is_made(dana: User) -> None:
    codes.issue(user=dana, purpose=Purpose.RECOVER)
    OneTimeCode.objects.update(expires_at=now() - timedelta(seconds=1))
    codes.issue(user=dana, purpose=Purpose.RECOVER)
    assert OneTimeCode.objects.count() == 1


@pytest.mark.parametrize("where", [ELSEWHERE, SCHOOL])
def test_strangers_wrong_codes_use_up_none_of_the_owners_tries(dana: User, where: str) -> None:
    """Also from the school's own address, which the owner shares with them."""
    own = codes.issue(user=dana, purpose=Purpose.RECOVER, address=SCHOOL)
    for _ in range(8):
        strangers = codes.issue(user=dana, purpose=Purpose.RECOVER, address=where)
        for _ in range(8):
            assert not try_code(dana, WRONG, address=where, asked=asked(strangers))
    for _ in range(4):
        assert not try_code(dana, WRONG, address=SCHOOL, asked=asked(own))
    assert try_code(dana, str(own.code), address=SCHOOL, asked=asked(own))


def test_an_owner_without_a_token_has_the_tries_of_the_address_that_asked(dana: User) -> None:
    own = codes.issue(user=dana, purpose=Purpose.RECOVER, address=HOME)
    for n in range(40):
        assert not try_code(dana, WRONG, address=f"192.0.2.{n}")
    assert try_code(dana, str(own.code), address=HOME)


def test_one_address_has_five_tries_of_a_code_and_all_others_than_the_askers_have_ten(dana: User) -> None:
    own = codes.issue(user=dana, purpose=Purpose.RECOVER, address=HOME)
    for _ in range(5):
        assert not try_code(dana, WRONG, address=ELSEWHERE)
    assert not try_code(dana, str(own.code), address=ELSEWHERE)
    assert try_code(dana, str(own.code), address=SCHOOL), "who has changed networks has tries there, too"
    for _ in range(5):
        try_code(dana, WRONG, address=SCHOOL)
    assert not try_code(dana, str(own.code), address="192.0.2.45")
    assert try_code(dana, str(own.code), address=HOME)


def test_addresses_of_one_household_are_one_address(dana: User) -> None:
    own = codes.issue(user=dana, purpose=Purpose.RECOVER, address="2001:db8:1:1::1")
    for n in range(5):
        assert not try_code(dana, WRONG, address=f"2001:db8:9:9::{n}")
    assert not try_code(dana, str(own.code), address="2001:db8:9:9::77")
    assert try_code(dana, str(own.code), address="2001:db8:1:1::2")


def test_a_code_whose_own_tries_are_used_up_is_no_good_with_a_newer_token_either(dana: User) -> None:
    first = codes.issue(user=dana, purpose=Purpose.RECOVER, address=HOME)
    for _ in range(5):
        assert not try_code(dana, WRONG, address=HOME, asked=asked(first))
    second = codes.issue(user=dana, purpose=Purpose.RECOVER, address=HOME)
    if first.code != second.code:
        assert not try_code(dana, str(first.code), address=HOME, asked=asked(second))
    assert try_code(dana, str(second.code), address=HOME, asked=asked(second))


# Mails


def test_one_mailbox_gets_sixty_mails_an_hour_and_forty_of_one_address(dana: User, no_mail: list[str]) -> None:
    def ask(address: str) -> bool:
        try:
            registration.code_send(role=Role.STUDENT, email=dana.email, address=address)
        except errors.TooManyRequests:
            return False
        return True

    assert [ask(ELSEWHERE) for _ in range(42)] == [True] * 40 + [False] * 2
    assert [ask(HOME) for _ in range(22)] == [True] * 20 + [False] * 2, "a stranger leaves the owner some"
    assert no_mail == [dana.email] * 60


def test_one_person_and_one_address_cause_so_many_mails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MAILS_BY", Limit("few by", 3, timedelta(hours=1)))
    monkeypatch.setattr(mail, "MAILS_FROM", Limit("few from", 4, timedelta(hours=1)))
    for n in range(3):
        mail.allow(to=f"a{n}@example.com", sender="somebody")
        mail.allow(to=f"b{n}@example.com", address=HOME)
    with pytest.raises(errors.TooManyRequests):
        mail.allow(to="c@example.com", sender="somebody")
    mail.allow(to="c@example.com", sender="another")
    mail.allow(to="c@example.com", address=HOME)
    with pytest.raises(errors.TooManyRequests):
        mail.allow(to="d@example.com", address=HOME)


def test_a_mailbox_is_the_same_in_any_letter_case_and_for_every_purpose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "MAILS_TO", Limit("few to", 2, timedelta(hours=1)))
    user = make_users(Role.STUDENT, 1)[0]
    proofs.proof_begin(user_id=user.id)
    mail.allow(to=user.email.upper())
    with pytest.raises(errors.TooManyRequests):
        registration.code_send(role=Role.STUDENT, email=user.email)


def test_whom_a_mail_cannot_be_sent_to_is_told_nothing_and_nothing_else_fails(
    monkeypatch: pytest.MonkeyPatch, no_mail: list[str]
) -> None:
    user = make_users(Role.STUDENT, 1)[0]
    monkeypatch.setattr(mail, "MAILS_BY", Limit("one by", 1, timedelta(hours=1)))
    mail.allow(to="first@example.com", sender="somebody")
    mail.send_set_aside(user=user, sender="somebody")
    assert no_mail == []
    for _ in range(3):
        mail.send_set_aside(user=user, sender="another")
    assert no_mail == [user.email], "once a day"


NAMES = {
    "Asha Rao": "Asha Rao",
    "José Mª d’Àvila-O'Brien": "José Mª d’Àvila-O'Brien",
    "李小龍": "李小龍",
    "Visit https://evil.example/?q=1 now": "Visit httpsevilexampleq now",
    "a@b.example": "abexample",
    "Asha\r\nBcc: all@school.example": "Asha Bcc allschoolexample",
    "Call +44 20 7946 0000": "Call",
    "x" * 1000: "x" * 40,
    "evil。example ｅvil．example": "evilexample ｅvilexample",
    "\u202egro.live": "grolive",
    "12345": "",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_mail_shows_of_a_name_no_more_than_letters(name: str) -> None:
    assert mail.shown_name(name) == NAMES[name]
