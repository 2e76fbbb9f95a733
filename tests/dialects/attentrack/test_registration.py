"""Registration, login, passwords and profiles of students and teachers, answer by answer."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import signing

from accounts import tokens
from accounts.models import OneTimeCode, User
from core.times import now
from tests.api.rest import UNKNOWN_ID, make_user, token_of
from tests.dialects.attentrack.bare import HASH, PASSWORD, AttenTrackSchool, Bare

CARD = {
    "email": "Dana@example.com",
    "fullName": "Dana",
    "rollNumber": "9",
    "batch": "Not Set",
    "coursesId": [],
    **dict.fromkeys(("branch", "semester", "phone", "enroll"), "Not Set"),
}
TEACHER_CARD = {
    "email": "Tess@example.com",
    "fullName": "Tess",
    "department": "Not Set",
    "coursesId": [],
    **dict.fromkeys(("eduQualification", "telephone", "interest"), "Not Set"),
}


@pytest.fixture
def dana(db: None) -> User:
    """A student whom a class sheet names and who has not registered yet."""
    return make_user("Dana", roll_number="9")


@pytest.fixture
def tess(db: None) -> User:
    """A teacher whom a superuser has added."""
    return make_user("Tess", "teacher")


def begin(rest: Bare, who: str = "student", email: str = "dana@example.com") -> str:
    answer = rest.post(f"/api/{who}/register", {"email": email, "dummy": None})
    assert (answer.status, list(answer.body)) == (200, ["otpToken"])
    return str(answer.body["otpToken"])


def finish(rest: Bare, token: str, otp: Any, who: str = "student", email: str = "dana@example.com") -> Any:
    body = {"email": email, "password": PASSWORD, "otp": otp}
    return rest.post(f"/api/{who}/verify-otp", body, token=token)


def test_a_student_registers_with_the_mailed_code_and_logs_in(rest: Bare, dana: User, codes: list[int]) -> None:
    answer = finish(rest, begin(rest), codes[0])
    token = answer.body.pop("token")
    assert (answer.status, answer.body) == (201, {"id": dana.id, **CARD})
    assert tokens.authenticate(token)[0].id == dana.id

    answer = rest.post("/api/student/login", {"rollNumber": "9", "password": PASSWORD})
    token = answer.body.pop("token")
    assert (answer.status, answer.body) == (201, {"id": dana.id, **CARD, "auth": True})
    answer = rest.get("/api/student/token-login", token=token)
    assert (answer.status, answer.body) == (201, {"id": dana.id, **CARD, "auth": True})


def test_a_teacher_registers_and_logs_in(rest: Bare, tess: User, codes: list[int]) -> None:
    email = "tess@example.com"
    answer = finish(rest, begin(rest, "teacher", email), codes[0], "teacher", email)
    assert answer.body.pop("token")
    assert (answer.status, answer.body) == (200, {"id": tess.id, **TEACHER_CARD, "auth": True})
    answer = rest.post("/api/teacher/login", {"email": email, "password": PASSWORD})
    token = answer.body.pop("token")
    assert (answer.status, answer.body) == (200, {"id": tess.id, **TEACHER_CARD, "auth": True})
    answer = rest.get("/api/teacher/token-login", token=token)
    assert (answer.status, answer.body) == (200, {"id": tess.id, **TEACHER_CARD, "auth": True})


@pytest.mark.parametrize(("who", "status"), [("student", 406), ("teacher", 403)])
def test_nobody_registers_twice(rest: Bare, who: str, status: int) -> None:
    user = make_user("Eve", who)
    User.objects.filter(pk=user.pk).update(password=HASH)
    answer = rest.post(f"/api/{who}/register", {"email": "eve@example.com"})
    assert (answer.status, answer.body) == (status, {"error": "Already registered"})


def test_a_person_on_no_class_sheet_cannot_register(rest: Bare, tess: User, codes: list[int]) -> None:
    for email in ("nobody@example.com", "tess@example.com"):
        answer = rest.post("/api/student/register", {"email": email})
        assert (answer.status, answer.body) == (400, {"error": "Student not found"})
    assert codes == []


def test_a_code_is_good_once_and_for_its_person_and_purpose_only(rest: Bare, dana: User, codes: list[int]) -> None:
    make_user("Finn", roll_number="10")
    token = begin(rest)
    others = begin(rest, email="finn@example.com")
    assert finish(rest, others, codes[0]).status == 401  # the token is for another e-mail
    assert finish(rest, others, codes[0], email="finn@example.com").status == (400 if codes[0] != codes[1] else 201)
    recover = rest.post("/api/student/otp-generate", {"rollNumber": "9"}).body["otpToken"]
    assert finish(rest, recover, codes[0]).status == 401
    body = {"rollNumber": "9", "otp": codes[0], "verify": True}
    assert rest.post("/api/student/forgot", body, token=token).status == 401
    if codes[0] != codes[2]:
        assert rest.post("/api/student/forgot", body, token=recover).status == 400

    assert finish(rest, token, codes[0]).status == 201
    User.objects.filter(pk=dana.pk).update(password="!")
    assert finish(rest, token, codes[0]).body == {"error": "Invalid or expired OTP"}


def test_after_five_wrong_codes_the_right_code_is_refused(rest: Bare, dana: User, codes: list[int]) -> None:
    token = begin(rest)
    wrong = 100_000 if codes[0] != 100_000 else 100_001
    for _ in range(5):
        assert finish(rest, token, wrong).body == {"error": "Invalid or expired OTP"}
    assert finish(rest, token, codes[0]).body == {"error": "Invalid or expired OTP"}
    assert finish(rest, begin(rest), codes[1]).status == 201


def test_a_code_is_good_for_ten_minutes(rest: Bare, dana: User, codes: list[int]) -> None:
    token = begin(rest)
    OneTimeCode.objects.update(expires_at=now())
    assert finish(rest, token, codes[0]).status == 400


def test_a_code_is_six_digits_and_stored_as_a_keyed_hash_alone(rest: Bare, dana: User, codes: list[int]) -> None:
    begin(rest)
    assert 100_000 <= codes[0] <= 999_999
    stored = OneTimeCode.objects.values_list("code_hash", flat=True).get()
    assert len(stored) == 64
    assert str(codes[0]) not in str(OneTimeCode.objects.values_list().get())


@pytest.mark.parametrize("token", [None, "", "x", "eyJhbGciOiJIUzI1NiJ9.e30.x", "another salt's"])
def test_a_request_without_an_otp_token_is_answered_401(rest: Bare, dana: User, token: str | None) -> None:
    if token == "another salt's":
        token = signing.dumps({"user": dana.id, "purpose": "register"}, salt="x")
    body = {"email": "dana@example.com", "password": PASSWORD, "otp": 123456}
    answer = rest.post("/api/student/verify-otp", body, token=token)
    assert (answer.status, answer.body) == (401, {"error": "Unauthorized access"})
    answer = rest.post("/api/student/forgot", {"rollNumber": "9", "otp": 123456, "verify": True}, token=token)
    assert (answer.status, answer.body) == (401, {"error": "Unauthorized access"})


def test_an_otp_token_and_a_login_token_do_not_stand_for_each_other(rest: Bare, dana: User, codes: list[int]) -> None:
    assert rest.get("/api/student/token-login", token=begin(rest)).status == 401
    assert finish(rest, token_of(dana), codes[0]).status == 401


def test_the_default_mode_lets_nobody_register_without_a_code(rest: Bare, dana: User, codes: list[int]) -> None:
    assert finish(rest, begin(rest), None).body == {"error": "Invalid or expired OTP"}


def test_open_mode_registers_a_person_without_a_code_as_unverified(
    rest: Bare, dana: User, codes: list[int], open_mode: None
) -> None:
    token = begin(rest)
    assert finish(rest, token, None).status == 201
    login = rest.post("/api/student/login", {"rollNumber": "9", "password": PASSWORD})
    assert login.body["auth"] is False
    assert finish(rest, token, None).body == {"error": "Already registered"}


def test_a_person_who_was_registered_before_needs_a_code_in_open_mode_too(
    rest: Bare, dana: User, codes: list[int], open_mode: None
) -> None:
    finish(rest, begin(rest), None)
    recover = rest.post("/api/student/otp-generate", {"rollNumber": "9"}).body["otpToken"]
    body = {"rollNumber": "9", "otp": codes[-1], "verify": False}
    assert rest.post("/api/student/forgot", body, token=recover).status == 200
    token = begin(rest)
    assert finish(rest, token, None).status == 400
    assert finish(rest, token, codes[-1]).status == 201


def test_an_answer_has_the_code_in_open_mode_with_debug_only(
    rest: Bare, dana: User, codes: list[int], settings: Any
) -> None:
    for is_open, debug in ((False, False), (False, True), (True, False)):
        settings.ATTENTRACK_OPEN, settings.DEBUG = is_open, debug
        assert list(rest.post("/api/student/register", {"email": "dana@example.com"}).body) == ["otpToken"]
    settings.DEBUG = settings.ATTENTRACK_OPEN = True
    assert rest.post("/api/student/otp-generate", {"rollNumber": "9"}).body["tempOtp"] == codes[-1]


def test_a_failed_login_says_what_is_wrong(rest: Bare, dana: User) -> None:
    def login(who: str, **body: str) -> tuple[int, Any]:
        answer = rest.post(f"/api/{who}/login", body)
        return answer.status, answer.body

    assert login("student", rollNumber="77", password="x") == (400, {"error": "Student not found"})
    assert login("student", rollNumber="9", password="!") == (400, {"error": "Please do sign up first"})
    User.objects.filter(pk=dana.pk).update(password=HASH)
    assert login("student", rollNumber="9", password="x") == (400, {"error": "Invalid password"})
    assert login("teacher", email="nobody@example.com", password="x") == (400, {"error": "Teacher not found"})
    User.objects.filter(pk=dana.pk).update(is_active=False)
    assert login("student", rollNumber="9", password=PASSWORD) == (400, {"error": "Student not found"})


def test_every_failed_login_hashes_once(rest: Bare, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """So an unknown account, an account that awaits registration and a wrong password take the same time."""
    hashed: list[str] = []
    real = "accounts.passwords.BcryptHasher.encode"
    from accounts.passwords import BcryptHasher

    encode = BcryptHasher.encode

    def counted(self: BcryptHasher, password: str, salt: Any) -> str:
        hashed.append("once")
        return str(encode(self, password, salt))

    monkeypatch.setattr(real, counted)
    registered = make_user("Gail", roll_number="11")
    registered.set_password(PASSWORD)
    registered.save()
    for roll_number in ("77", "9", "11"):
        hashed.clear()
        assert rest.post("/api/student/login", {"rollNumber": roll_number, "password": "wrong"}).status == 400
        assert hashed == ["once"], roll_number


def test_an_account_that_awaits_registration_signs_in_nowhere_and_cannot_be_signed_up(rest: Bare, dana: User) -> None:
    from tests.api.rest import Rest

    canonical = Rest()
    login = {"email": "dana@example.com", "password": "!"}
    canonical.post("/auth/login", login).is_failure(400, "Invalid email or password")
    body = {"name": "D", "email": "dana@example.com", "password": PASSWORD, "role": "student"}
    canonical.post("/auth/signup", body).is_failure(400, "Email already exists")
    for password in ("!", "", dana.password):
        body = {"rollNumber": "9", "password": password}
        assert rest.post("/api/student/login", body).body == {"error": "Please do sign up first"}


@pytest.mark.django_db(transaction=True)  # whoever is refused changes nothing
def test_after_ten_wrong_passwords_one_has_to_wait(rest: Bare, dana: User, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = now()
    monkeypatch.setattr("accounts.limits.now", lambda: moment)
    User.objects.filter(pk=dana.pk).update(password=HASH)
    wrong, right = ({"rollNumber": "9", "password": password} for password in ("wrong", PASSWORD))
    for _ in range(12):
        assert rest.post("/api/student/login", right).status == 201  # good ones count nothing
    for _ in range(10):
        assert rest.post("/api/student/login", wrong).status == 400
    answer = rest.post("/api/student/login", right)
    assert (answer.status, answer.body) == (429, {"error": "Too many requests"})
    moment += timedelta(seconds=1)
    assert rest.post("/api/student/login", right).status == 201


def test_the_app_may_ask_for_a_code_at_every_start(rest: Bare, dana: User, codes: list[int]) -> None:
    for _ in range(40):
        assert rest.post("/api/student/otp-generate", {"rollNumber": "9"}).status == 200
    assert len(codes) == 40


def test_a_code_gives_up_a_forgotten_password(rest: Bare, dana: User, codes: list[int]) -> None:
    finish(rest, begin(rest), codes[0])
    session = token_of(dana)
    recover = rest.post("/api/student/otp-generate", {"rollNumber": "9"}).body["otpToken"]
    for otp in (None, "abcdef"):
        body = {"rollNumber": "9", "otp": otp, "verify": False}
        assert rest.post("/api/student/forgot", body, token=recover).status == 400
    answer = rest.post("/api/student/forgot", {**body, "otp": codes[1]}, token=recover)
    assert (answer.status, answer.body) == (200, {"message": "Password reset, please register again"})
    assert rest.get("/api/student/token-login", token=session).status == 401
    login = rest.post("/api/student/login", {"rollNumber": "9", "password": PASSWORD})
    assert login.body == {"error": "Please do sign up first"}
    assert finish(rest, begin(rest), codes[2]).status == 201


def test_a_code_confirms_the_mailbox(rest: Bare, tess: User, codes: list[int]) -> None:
    User.objects.filter(pk=tess.pk).update(password=HASH)
    login = {"email": "tess@example.com", "password": PASSWORD}
    assert rest.post("/api/teacher/login", login).body["auth"] is False
    recover = rest.post("/api/teacher/otp-generate", {"email": "tess@example.com"}).body["otpToken"]
    body = {"email": "tess@example.com", "otp": str(codes[0]), "verify": True}
    answer = rest.post("/api/teacher/forgot", body, token=recover)
    assert (answer.status, answer.body) == (200, {"message": "Email verified"})
    assert rest.post("/api/teacher/login", login).body["auth"] is True


def test_a_person_who_knows_the_password_changes_it(rest: Bare, school: AttenTrackSchool) -> None:
    User.objects.filter(pk=school.student.pk).update(password=HASH)
    token = token_of(school.student)
    body = {"rollNumber": "1", "oldPassword": "wrong", "newPassword": "secret2"}
    assert rest.post("/api/student/change", body, token=token).body == {"error": "Invalid password"}
    answer = rest.post("/api/student/change", {**body, "oldPassword": PASSWORD}, token=token)
    assert (answer.status, answer.body) == (200, {"message": "Password changed"})
    assert rest.get("/api/student/token-login", token=token).status == 401
    assert rest.post("/api/student/login", {"rollNumber": "1", "password": "secret2"}).status == 201


def test_a_profile_is_updated_and_read(rest: Bare, school: AttenTrackSchool) -> None:
    token = token_of(school.student)
    body = {"rollNumber": "1", "branch": "IT", "semester": 5, "enroll": "E7", "phone": "0123"}
    answer = rest("PUT", "/api/student/update", body, token=token)
    assert (answer.status, answer.body) == (200, {"message": "Profile updated"})
    rest("PUT", "/api/student/update", {"rollNumber": "1", "branch": "CS"}, token=token)
    card = rest.get("/api/student/token-login", token=token).body
    assert (card["branch"], card["semester"], card["enroll"], card["phone"]) == ("CS", "5", "E7", "0123")
    assert (card["batch"], card["coursesId"]) == ("2026", [{"_id": school.class_id}])

    token = token_of(school.owner)
    body = {"email": school.owner.email, "eduQualification": "PhD", "telephone": "9", "interest": "Optics"}
    assert rest("PUT", "/api/teacher/update", body, token=token).status == 200
    card = rest.get("/api/teacher/token-login", token=token).body
    assert [card[key] for key in ("eduQualification", "telephone", "interest", "department")] == [
        "PhD",
        "9",
        "Optics",
        "Physics",
    ]


def test_an_unverified_person_cannot_change_the_profile(rest: Bare, school: AttenTrackSchool) -> None:
    answer = rest("PUT", "/api/student/update", {"rollNumber": "2", "branch": "IT"}, token=token_of(school.second))
    assert (answer.status, answer.body) == (400, {"error": "Please verify your email first"})


def test_a_person_reads_their_own_classes(rest: Bare, school: AttenTrackSchool) -> None:
    shown = {
        "class_id": school.class_id,
        "classname": "Physics",
        "batch": "2026",
        "semester": "3",
        "department": "Science",
        "student_count": 2,
    }
    answer = rest.get(f"/api/student/classes-info/{school.student.id}", token=token_of(school.student))
    assert answer.body == {
        "student_id": school.student.id,
        "fullName": "Asha",
        "rollNumber": "1",
        "email": "Asha@example.com",
        "classes": [shown],
    }
    answer = rest.get(f"/api/teacher/classes-info/{school.owner.id}", token=token_of(school.owner))
    assert answer.body == {
        "teacher_id": school.owner.id,
        "teacher_email": "Owner@example.com",
        "teacher_name": "Owner",
        "department": "Physics",
        "classes": [shown],
    }
    for unknown in (UNKNOWN_ID, "x", school.owner.id):
        answer = rest.get(f"/api/student/classes-info/{unknown}", token=token_of(school.student))
        assert (answer.status, answer.body) == (400, {"error": "Student not found"})
