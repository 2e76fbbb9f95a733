"""The admin's pages of who is who: invitations, proofs, and students who are set aside."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from accounts import mail
from accounts.invitations import invitation_print
from accounts.models import Invitation, Origin, User
from classes.models import Class, Enrolment, SetAside
from core.identity import Role
from core.limits import MAILS_BY, Limit
from core.rest.routes import is_slow
from core.times import now
from tests.support.admin import USERS, make_user, messages_of, sign_in, text
from tests.support.http import Client
from tests.support.processes import free_port
from tests.support.smtp import NO_MAIL_SERVER

pytestmark = pytest.mark.django_db(transaction=True)

#: The function that really sends.
SEND = mail._send
INVITATIONS, WAITING = "/admin/accounts/invitation/", "/admin/classes/setaside/"


@pytest.fixture(autouse=True)
def mailed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that were to be mailed."""
    texts: list[str] = []

    def send(message: Any) -> bool:
        texts.append(message.body)
        return True

    monkeypatch.setattr(mail, "_send", send)
    monkeypatch.setattr(mail, "_pool", AtOnce())
    return texts


class AtOnce:
    """A pool that does what it is given before it answers."""

    def submit(self, work: Any, *given: Any) -> Any:
        from concurrent.futures import Future

        done: Future[Any] = Future()
        done.set_result(work(*given))
        return done


# Invitations


@pytest.mark.parametrize("public", ["https://attendance.school.example", ""])
def test_a_printed_invitation_is_shown_once(page: Client, root: User, settings: Any, public: str) -> None:
    settings.PUBLIC_URL = public
    answer = page.post(f"{INVITATIONS}add/", {"role": "teacher", "email": ""}, follow=True)
    shown = messages_of(answer)[-1]
    link = shown.rpartition(" ")[2]
    assert link.startswith(f"{public or 'http://testserver'}/invitation/")
    made = Invitation.objects.get()
    assert (made.role, made.email, made.is_mailed, made.made_by_id) == ("teacher", "", False, root.id)
    for url in (INVITATIONS, f"{INVITATIONS}{made.id}/change/", f"{INVITATIONS}{made.id}/history/"):
        assert link.rpartition("/")[2] not in text(page.get(url))


def mail_server_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "_send", lambda message: False)


def test_an_invitation_that_cannot_be_mailed_becomes_a_link_to_hand_over_and_the_admin_says_so(
    page: Client, root: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    mail_server_refuses(monkeypatch)
    form = {"role": "student", "email": "asha@example.com", "by_mail": "on"}
    answer = page.post(f"{INVITATIONS}add/", form, follow=True)
    told = messages_of(answer)[-1]
    assert told.startswith("The mail to asha@example.com could not be sent, and its invitation is withdrawn.")
    assert "on its way" not in text(answer)
    link = told.rpartition(" ")[2]
    good, void = Invitation.objects.order_by("-created_at", "-id")
    assert (good.email, good.is_mailed, good.made_by_id, good.voided_at) == ("asha@example.com", False, root.id, None)
    assert void.voided_at is not None
    assert "Sign up as a student" in Client().get(link.removeprefix("http://testserver")).content.decode()
    for made, said in ((good, "Made in place of one that could not be mailed."), (void, "Withdrawn: the mail")):
        history = text(page.get(f"{INVITATIONS}{made.id}/history/"))
        assert said in history
        assert link.rpartition("/")[2] not in history


@pytest.mark.parametrize("backend", [NO_MAIL_SERVER, "django.core.mail.backends.smtp.EmailBackend"])
def test_without_a_mail_server_and_while_it_is_down_invitations_are_links_to_hand_over(
    page: Client, settings: Any, monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    monkeypatch.setattr(mail, "_send", SEND)
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = backend, "127.0.0.1", free_port()
    form = {"role": "student", "email": "asha@example.com", "by_mail": "on"}
    told = messages_of(page.post(f"{INVITATIONS}add/", form, follow=True))[-1]
    assert "could not be sent" in told
    assert "/invitation/" in told
    assert [made.is_mailed for made in Invitation.objects.filter(voided_at=None)] == [False]


def test_a_mail_server_that_says_nothing_holds_the_admin_up_for_a_moment_only(
    page: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail, "PATIENCE", 0)
    monkeypatch.setattr(mail, "_submit", lambda message, taken: None)
    form = {"role": "student", "email": "asha@example.com", "by_mail": "on"}
    answer = page.post(f"{INVITATIONS}add/", form, follow=True)
    assert "The invitation is on its way to asha@example.com." in messages_of(answer)
    assert is_slow("POST", f"{INVITATIONS}add/"), "it waits on a thread for such requests"


def test_a_mailed_invitation_is_in_the_mail_alone(page: Client, mailed: list[str]) -> None:
    form = {"role": "student", "email": "asha@example.com", "by_mail": "on"}
    answer = page.post(f"{INVITATIONS}add/", form, follow=True)
    assert "The invitation is on its way to asha@example.com." in messages_of(answer)
    (body,) = mailed
    assert "Root of your school invites you" in body
    secret = next(line for line in body.splitlines() if line.count("-") == 5)
    assert secret not in text(answer)
    assert Invitation.objects.get().is_mailed


@pytest.mark.parametrize(
    ("form", "field", "said"),
    [
        ({"role": "student", "by_mail": "on"}, "email", "Say whom to mail it to"),
        ({"role": "student", "email": "root@example.com", "by_mail": "on"}, "email", "Somebody signs in with this"),
        ({"role": "student", "email": "nothing", "by_mail": "on"}, "email", "Enter a valid email address."),
        ({"role": "headmaster", "email": ""}, "role", "Select a valid choice"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_by_the_form(
    page: Client, form: dict[str, str], field: str, said: str, mailed: list[str]
) -> None:
    answer = page.post(f"{INVITATIONS}add/", form)
    assert said in " ".join(answer.context["adminform"].form.errors[field])
    assert not Invitation.objects.exists()
    assert mailed == []


def test_closed_sign_up_and_too_many_mails_are_said_by_the_form(
    page: Client, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = {"role": "student", "email": "asha@example.com", "by_mail": "on"}
    monkeypatch.setattr(mail, "MAILS_BY", Limit("one by", 1, MAILS_BY.window))
    assert page.post(f"{INVITATIONS}add/", form).status_code == 302
    answer = page.post(f"{INVITATIONS}add/", {**form, "email": "ben@example.com"})
    assert "too many mails" in text(answer)
    settings.SIGNUP = "closed"
    assert "SIGNUP=closed" in text(page.post(f"{INVITATIONS}add/", form))
    assert Invitation.objects.count() == 1


def test_the_list_says_what_became_of_each_and_an_open_one_is_withdrawn(page: Client) -> None:
    used, old, first, second = (invitation_print(role=Role.STUDENT).invitation for _ in range(4))
    asha = make_user("Asha")
    Invitation.objects.filter(pk=used.id).update(used_at=now(), used_by=asha)
    Invitation.objects.filter(pk=old.id).update(expires_at=now())
    picked = {"action": "withdraw", "_selected_action": [used.id, first.id]}
    answer = page.post(INVITATIONS, picked, follow=True)
    assert "Withdrawn: 1. Used ones stay as they are." in messages_of(answer)
    shown = text(page.get(INVITATIONS))
    for state in ("used", "too old", "withdrawn", "open"):
        assert f'<td class="field-state">{state}</td>' in shown
    assert "Asha &lt;asha@example.com&gt;" in shown
    assert Invitation.objects.get(pk=second.id).voided_at is None


def test_who_may_only_look_neither_invites_nor_withdraws_and_nobody_changes_or_deletes(page: Client) -> None:
    made = invitation_print(role=Role.TEACHER).invitation
    looker = make_user("Looker", Role.TEACHER, is_staff=True)
    looker.user_permissions.set(Permission.objects.filter(codename="view_invitation"))
    client = sign_in(looker)
    assert client.get(INVITATIONS).status_code == 200
    assert client.get(f"{INVITATIONS}add/").status_code == 403
    client.post(INVITATIONS, {"action": "withdraw", "_selected_action": [made.id]})
    for one in (client, page):
        assert one.post(f"{INVITATIONS}{made.id}/change/", {"role": "student"}).status_code == 403
        assert one.post(f"{INVITATIONS}{made.id}/delete/", {"post": "yes"}).status_code == 403
    assert sign_in(make_user("Nobody")).get(INVITATIONS).status_code == 302
    made.refresh_from_db()
    assert (made.role, made.voided_at) == ("teacher", None)


# Proofs


def test_the_list_of_users_shows_and_finds_whose_address_is_not_proved(page: Client) -> None:
    make_user("Asha", origin=Origin.SELF)
    make_user("Ben", origin=Origin.SELF, email_verified_at=now())
    make_user("Chen")
    shown = text(page.get(USERS))
    assert shown.count("NOT PROVED") == 1
    assert "made by the school" in shown
    for value, names in {"no": {"Asha"}, "proved": {"Ben"}, "school": {"Chen", "Root"}}.items():
        rows = page.get(USERS, {"address": value}).context["cl"].result_list
        assert {user.name for user in rows} == names


def test_the_school_vouches_for_people_and_they_are_enrolled_where_they_were_set_aside(
    page: Client, root: User, settings: Any
) -> None:
    settings.SIGNUP = "students"
    asha = make_user("Asha", origin=Origin.SELF)
    physics = Class.objects.create(name="Physics", teacher=root)
    SetAside.objects.create(class_ref=physics, student=asha, roll_number="7")
    assert "Asha" in text(page.get(WAITING, {"q": "asha"}))
    answer = page.post(USERS, {"action": "vouch", "_selected_action": [asha.id, root.id]}, follow=True)
    assert "Vouched for 1." in messages_of(answer)
    asha.refresh_from_db()
    assert (asha.origin, asha.roll_number) == (Origin.SCHOOL, "7")
    assert Enrolment.objects.filter(class_ref=physics, student=asha).exists()
    assert "Vouched for the address." in text(page.get(f"{USERS}{asha.id}/history/"))
    again = page.post(USERS, {"action": "vouch", "_selected_action": [asha.id]}, follow=True)
    assert "Vouched for 0. Only who signed up needs that." in messages_of(again)


def user_form(user: User, **changes: str) -> dict[str, str]:
    return {
        "name": user.name,
        "email": user.email,
        "role": user.role,
        "roll_number": user.roll_number or "",
        "is_active": "on",
        "student_profile-TOTAL_FORMS": "0",
        "student_profile-INITIAL_FORMS": "0",
        "teacher_profile-TOTAL_FORMS": "0",
        "teacher_profile-INITIAL_FORMS": "0",
        **changes,
    }


@pytest.mark.parametrize("given", [{"role": "teacher"}, {"roll_number": "7"}, {"is_staff": "on"}])
def test_the_form_gives_nothing_of_the_schools_to_who_has_not_proved_the_address(
    page: Client, given: dict[str, str], settings: Any
) -> None:
    asha, ben = make_user("Asha", origin=Origin.SELF), make_user("Ben", origin=Origin.SELF, email_verified_at=now())
    url = f"{USERS}{asha.id}/change/"
    settings.SIGNUP = "invited"
    answer = page.post(url, user_form(asha, **given))
    assert "Nobody has shown that this e-mail address is theirs" in text(answer)
    assert page.post(url, user_form(asha, name="Asha Rao")).status_code == 302
    assert page.post(f"{USERS}{ben.id}/change/", user_form(ben, **given)).status_code == 302
    User.objects.update(roll_number=None)
    settings.SIGNUP = "open"
    assert page.post(url, user_form(asha, **given)).status_code == 302


def test_the_classs_page_enrols_nobody_who_has_not_proved_the_address(page: Client, root: User, settings: Any) -> None:
    asha = make_user("Asha", origin=Origin.SELF)
    form = {
        "name": "Physics",
        "teacher": root.id,
        "enrolments-TOTAL_FORMS": "1",
        "enrolments-INITIAL_FORMS": "0",
        "enrolments-0-student": asha.id,
    }
    settings.SIGNUP = "students"
    answer = page.post("/admin/classes/class/add/", form)
    assert "Nobody has shown that this e-mail address is theirs" in text(answer)
    assert not Class.objects.exists()
    settings.SIGNUP = "open"
    assert page.post("/admin/classes/class/add/", form).status_code == 302
    assert "NOT PROVED" in text(page.get("/admin/classes/enrolment/", {"class_ref__id__exact": Class.objects.get().id}))


def test_who_is_set_aside_is_looked_at_and_deleted_but_never_added_or_changed(page: Client, root: User) -> None:
    physics = Class.objects.create(name="Physics", teacher=root)
    waiting = SetAside.objects.create(class_ref=physics, student=make_user("Asha"))
    assert page.get(f"{WAITING}add/").status_code == 403
    assert page.post(f"{WAITING}{waiting.id}/change/", {"roll_number": "1"}).status_code == 403
    assert page.post(f"{WAITING}{waiting.id}/delete/", {"post": "yes"}).status_code == 302
    assert not SetAside.objects.exists()


def test_who_is_made_in_the_admin_is_made_by_the_school(page: Client, root: User) -> None:
    form = {"name": "Asha", "email": "asha@example.com", "role": "student", "usable_password": "false"}
    assert page.post(f"{USERS}add/", form).status_code == 302
    made = User.objects.get(email="asha@example.com")
    assert (made.origin, made.made_by_id) == (Origin.SCHOOL, root.id)


# Students without an e-mail


def test_a_student_without_email_is_made_and_found_by_roll_number(page: Client) -> None:
    filled = {"name": "Asha", "email": "", "role": "student", "roll_number": "7", "usable_password": "false"}
    refused = text(page.post(f"{USERS}add/", {**filled, "roll_number": ""}))
    assert "Only a student with a roll number may have no e-mail." in refused
    for roll_number in ("7", "8"):
        assert page.post(f"{USERS}add/", {**filled, "roll_number": roll_number}).status_code == 302
    asha = User.objects.by_roll_number("7")
    assert asha is not None
    assert asha.email == ""
    assert "no e-mail" in text(page.get(f"{USERS}?q=7"))
    changed = {**filled, "name": "Asha Rao", "is_active": "on", "student_profile-TOTAL_FORMS": "0"}
    assert page.post(f"{USERS}{asha.id}/change/", {**changed, "student_profile-INITIAL_FORMS": "0"}).status_code == 302
    assert User.objects.get(pk=asha.pk).name == "Asha Rao"
