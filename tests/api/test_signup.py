"""Who may make an account by themself (SIGNUP), at every door that makes accounts; how an invitation is accepted."""

from typing import Any

import pytest

from accounts import tokens
from accounts.invitations import invitation_mail, invitation_print
from accounts.models import Invitation, Origin, User
from core import errors
from core.identity import Role
from core.times import now
from tests.api.rest import Rest, is_served, make_user, token_of
from tests.support.database import Databases, manage

pytestmark = pytest.mark.django_db

STUDENTS_ONLY = "Forbidden, only students can sign up"
SCHOOL_ONLY = "Forbidden, sign-up needs an email address of the school"
NEEDED = "Forbidden, sign-up needs an invitation"
CLOSED = "Forbidden, sign-up is closed"
INVALID = "Invalid or expired invitation"
#: What OIDC_ISSUER needs besides.
CLIENT = {"OIDC_CLIENT_ID": "attendance", "OIDC_CLIENT_SECRET": "any"}

DOORS = [door for door in ("/auth/signup", "/api/v1/auth/register") if is_served(door)]


def person(role: str = "student", email: str = "asha@school.example", **fields: Any) -> dict[str, Any]:
    return {"name": "Asha", "email": email, "password": "secret1", "role": role, **fields}


POLICIES = {
    ("open", "teacher", "asha@anywhere.example"): None,
    ("open", "student", "asha@anywhere.example"): None,
    ("students", "student", "asha@anywhere.example"): None,
    ("students", "teacher", "asha@school.example"): STUDENTS_ONLY,
    ("domains", "teacher", "asha@School.Example"): None,
    ("domains", "student", "asha@pupils.school.example"): None,
    ("domains", "student", "asha@evil-school.example"): SCHOOL_ONLY,
    ("domains", "student", "asha@deep.school.example"): SCHOOL_ONLY,
    ("domains", "student", '"asha@school.example"@evil.example'): SCHOOL_ONLY,
    ("invited", "student", "asha@school.example"): NEEDED,
    ("closed", "student", "asha@school.example"): CLOSED,
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize(("policy", "role", "email"), POLICIES)
def test_the_policy_says_who_signs_up(door: str, policy: str, role: str, email: str, settings: Any) -> None:
    settings.SIGNUP, settings.SIGNUP_DOMAINS = policy, ["school.example", "pupils.school.example"]
    refusal = POLICIES[policy, role, email]
    answer = Rest().post(door, person(role, email))
    if refusal is None:
        assert (answer.status, answer.data["role"]) == (201, role)
        assert User.objects.get().origin == Origin.SELF
    else:
        answer.is_failure(403, refusal)
        assert not User.objects.exists()


def test_a_refused_person_does_not_learn_who_has_an_account(settings: Any) -> None:
    settings.SIGNUP = "invited"
    make_user("asha")
    Rest().post("/auth/signup", person(email="asha@example.com")).is_failure(403, NEEDED)


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("policy", ["open", "students", "domains", "invited"])
def test_an_invitation_gives_its_role_under_every_policy_but_closed(door: str, policy: str, settings: Any) -> None:
    settings.SIGNUP, settings.SIGNUP_DOMAINS = policy, ["school.example"]
    boss = make_user("boss", "teacher")
    secret = invitation_print(role=Role.TEACHER, made_by=boss).secret
    rest = Rest()
    answer = rest.post(door, person("student", "asha@anywhere.example", invitation=secret))
    assert (answer.status, answer.data["role"]) == (201, "teacher")
    user = User.objects.get(email="asha@anywhere.example")
    assert (user.origin, user.made_by_id, user.is_proved) == (Origin.INVITED, boss.id, False)
    assert rest.post("/class", {"className": "Art"}, token=token_of(user)).status == 201

    rest.post(door, person("student", "ben@anywhere.example", invitation=secret)).is_failure(400, INVALID)
    used = Invitation.objects.get()
    assert (used.used_by_id, used.used_at is not None) == (user.id, True)


def test_while_sign_up_is_closed_an_invitation_is_no_good(settings: Any) -> None:
    secret = invitation_print(role=Role.STUDENT).secret
    settings.SIGNUP = "closed"
    Rest().post("/auth/signup", person(invitation=secret)).is_failure(403, CLOSED)
    assert Invitation.objects.get().used_at is None


@pytest.mark.parametrize("nothing", ["", None])
def test_an_empty_invitation_is_none(nothing: str | None) -> None:
    assert Rest().post("/auth/signup", person(invitation=nothing)).status == 201


@pytest.mark.parametrize("bad", ["no such secret", "x" * 255])
def test_an_unknown_invitation_is_refused_and_makes_nothing(bad: str) -> None:
    Rest().post("/auth/signup", person(invitation=bad)).is_failure(400, INVALID)
    assert not User.objects.exists()


@pytest.mark.parametrize("field", ["voided_at", "expires_at"])
def test_a_withdrawn_and_an_old_invitation_are_refused(field: str) -> None:
    secret = invitation_print(role=Role.STUDENT).secret
    Invitation.objects.update(**{field: now()})
    Rest().post("/auth/signup", person(invitation=secret)).is_failure(400, INVALID)


def test_an_invitation_for_one_address_is_no_good_for_another_and_stays_unused() -> None:
    secret = invitation_print(role=Role.STUDENT, email="Ben@school.example").secret
    rest = Rest()
    rest.post("/auth/signup", person(email="asha@school.example", invitation=secret)).is_failure(400, INVALID)
    make_user("ben").email = "ben@school.example"
    assert rest.post("/auth/signup", person(email="ben@SCHOOL.example", invitation=secret)).status == 201


def test_a_secret_from_paper_counts_without_hyphens_and_in_capitals() -> None:
    secret = invitation_print(role=Role.STUDENT).secret
    assert Rest().post("/auth/signup", person(invitation=secret.replace("-", " ").upper())).status == 201


def test_guessing_invitations_ends() -> None:
    rest = Rest()
    answers = [rest.post("/auth/signup", person(invitation=f"guess {n}")).status for n in range(301)]
    assert answers == [400] * 300 + [429]


def test_a_mailed_invitation_proves_the_mailbox_and_a_printed_one_does_not() -> None:
    mailed = invitation_mail(role=Role.TEACHER, email="asha@school.example").secret
    printed = invitation_print(role=Role.TEACHER, email="ben@school.example").secret
    for email, secret in (("asha@school.example", mailed), ("ben@school.example", printed)):
        assert Rest().post("/auth/signup", person(email=email, invitation=secret)).status == 201
    assert User.objects.get(email="asha@school.example").is_proved
    assert not User.objects.get(email="ben@school.example").is_proved


def test_who_has_the_mailbox_gets_the_account_that_a_stranger_made_with_the_address() -> None:
    rest = Rest()
    assert rest.post("/auth/signup", person("student", name="Mallory")).status == 201
    stranger = token_of(User.objects.get())
    printed = invitation_print(role=Role.TEACHER, email="asha@school.example").secret
    rest.post("/auth/signup", person(invitation=printed)).is_failure(400, "Email already exists")
    mailed = invitation_mail(role=Role.TEACHER, email="asha@school.example").secret
    answer = rest.post("/auth/signup", person(password="secret2", invitation=mailed))
    assert (answer.status, answer.data["name"], answer.data["role"]) == (201, "Asha", "teacher")
    assert rest.get("/auth/me", token=stranger).status == 401
    assert User.objects.get().check_password("secret2")
    login = {"email": "asha@school.example", "password": "secret1"}
    rest.post("/auth/login", login).is_failure(400, "Invalid email or password")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("fields", [{"email_verified_at": now()}, {"is_superuser": True}, {"origin": Origin.INVITED}])
def test_nobody_is_invited_into_an_account_that_is_somebodys(fields: dict[str, Any]) -> None:
    secret = invitation_mail(role=Role.STUDENT, email="asha@school.example").secret
    user = User(name="Asha", email="asha@school.example", origin=Origin.SELF, password="some hash")
    user.save(force_insert=True)
    User.objects.update(**fields)
    with pytest.raises(errors.EmailTaken):
        invitation_mail(role=Role.STUDENT, email="asha@school.example")
    Rest().post("/auth/signup", person(invitation=secret)).is_failure(400, "Email already exists")
    assert Invitation.objects.get().used_at is None


# Roles and proofs


@pytest.mark.parametrize("policy", ["students", "domains", "invited", "closed"])
def test_a_teacher_who_signed_up_is_one_once_the_mailbox_is_proved(
    policy: str, settings: Any, codes: list[int]
) -> None:
    rest = Rest()
    rest.post("/auth/signup", person("teacher"))
    settings.SIGNUP, settings.SIGNUP_DOMAINS = policy, ["school.example"]
    user = User.objects.get()
    token = token_of(user)
    rest.post("/class", {"className": "Art"}, token=token).is_failure(403, "Forbidden, teacher access required")
    rest.get("/students", token=token).is_failure(403, "Forbidden, teacher access required")
    assert rest.get("/auth/me", token=token).data["role"] == "student"

    assert rest.post("/auth/confirm-email/code", token=token).data == {"email": "asha@school.example"}
    wrong = {"code": "000000"}
    rest.post("/auth/confirm-email", wrong, token=token).is_failure(400, "Invalid or expired OTP")
    answer = rest.post("/auth/confirm-email", {"code": str(codes[-1])}, token=token)
    assert (answer.status, answer.data["role"]) == (200, "teacher")
    assert rest.get("/auth/me", token=token).status == 401, "tokens and sockets of the lesser role end"
    token = tokens.issue(User.objects.get())
    assert rest.post("/class", {"className": "Art"}, token=token).status == 201
    rest.post("/auth/confirm-email/code", token=token).is_failure(409, "Email address is confirmed already")


def test_with_another_policy_than_open_the_code_is_mailed_at_sign_up(settings: Any, codes: list[int]) -> None:
    rest = Rest()
    rest.post("/auth/signup", person(email="a@school.example"))
    assert codes == []
    settings.SIGNUP = "students"
    rest.post("/auth/signup", person())
    user = User.objects.get(email="asha@school.example")
    token = token_of(user)
    assert rest.post("/auth/confirm-email", {"code": str(codes[0])}, token=token).status == 200
    assert rest.get("/auth/me", token=token).status == 200, "a student's role has counted before"


def test_the_code_of_one_person_proves_nothing_of_another(codes: list[int]) -> None:
    rest = Rest()
    for name in ("asha", "ben"):
        user = make_user(name)
        rest.post("/auth/confirm-email/code", token=token_of(user))
    if codes[0] != codes[1]:
        rest.post("/auth/confirm-email", {"code": str(codes[0])}, token=token_of(user)).is_failure(
            400, "Invalid or expired OTP"
        )
    assert not User.objects.exclude(email_verified_at=None).exists()


@pytest.mark.one_database("The settings are read before any database is.")
@pytest.mark.parametrize(
    ("settings_given", "said"),
    [
        ({"SIGNUP": "nobody"}, "Must be one of: open, students, domains, invited, closed"),
        ({"SIGNUP": "domains"}, "SIGNUP=domains needs SIGNUP_DOMAINS"),
        ({"SIGNUP_DOMAINS": "school.example"}, "Set SIGNUP=domains, or leave SIGNUP_DOMAINS out."),
        ({"SIGNUP": "domains", "SIGNUP_DOMAINS": "school.example,a@b.example"}, "'a@b.example', which is no domain"),
        ({"SIGNUP": "domains", "SIGNUP_DOMAINS": "*.school.example"}, "which is no domain"),
        ({"PUBLIC_URL": "attendance.school.example"}, "Write https://attendance.school.example"),
        ({"OIDC_DOMAINS": "school.example"}, "do nothing without OIDC_ISSUER"),
        ({"OIDC_ISSUER": "https://id.school.example"}, "needs OIDC_CLIENT_ID and OIDC_CLIENT_SECRET"),
        ({"OIDC_ISSUER": "http://id.school.example", **CLIENT}, "no address of a provider"),
        ({"OIDC_ISSUER": "https://accounts.google.com", **CLIENT}, "Set OIDC_DOMAINS"),
        ({"OIDC_ISSUER": "https://login.microsoftonline.com/common/v2.0", **CLIENT}, "your own tenant's"),
        ({"PUBLIC_URL": "https://a.example/?x=1"}, "which is no address of a web server"),
    ],
)
def test_settings_that_cannot_be_right_stop_the_start(
    databases: Databases, settings_given: dict[str, str], said: str
) -> None:
    done = manage("check", database=databases.empty(), **settings_given)
    assert done.returncode != 0
    assert said in done.stderr


@pytest.mark.one_database("The settings are read before any database is.")
def test_domains_are_read_with_spaces_capitals_and_an_at_sign(databases: Databases) -> None:
    given = {"SIGNUP": "domains", "SIGNUP_DOMAINS": " @School.example, pupils.school.example "}
    assert manage("check", database=databases.empty(), **given).returncode == 0
