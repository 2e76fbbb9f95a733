"""What the tables of accounts, and Django's own, say of a person (`core.database.personal`)."""

from django.db.models import Q

from core.database.personal import DELETE, Person, Personal
from core.times import now

#: The name of an account whose person was erased.
ERASED = "Erased person"
_SEARCHED = "the same again, as it is searched for"


def _invited(person: Person) -> Q:
    return Q(email__iexact=person.email) if person.email else Q()


TABLES = (
    Personal(
        "accounts.User",
        whose=("id",),
        part="account",
        shown={
            "_id": "id",
            "name": "name",
            "email": "email",
            "rollNumber": "roll_number",
            "role": "role",
            "language": "language",
            "isActive": "is_active",
            "isStaff": "is_staff",
            "isOffice": "is_superuser",
            "lastSignInToAdmin": "last_login",
            "emailConfirmedAt": "email_verified_at",
            "origin": "origin",
            "madeBy": "made_by_id",
            "createdAt": "created_at",
        },
        withheld={
            "password": "no password is kept, only a hash that it cannot be read from",
            "name_folded": _SEARCHED,
            "email_key": _SEARCHED,
            "roll_number_key": _SEARCHED,
        },
        erased={
            "name": ERASED,
            "email": "",
            "roll_number": None,
            "password": "!",
            "last_login": None,
            "language": "",
            "email_verified_at": None,
            "made_by_id": None,
        },
    ),
    Personal(
        "accounts.User", whose=("made_by_id",), part="accountsMade", shown={"_id": "id", "createdAt": "created_at"}
    ),
    Personal(
        "accounts.StudentProfile",
        whose=("user_id",),
        part="studentProfile",
        shown={
            "batch": "batch",
            "branch": "branch",
            "semester": "semester",
            "phone": "phone",
            "enrolmentNumber": "enroll",
            "guardianEmail": "guardian_email",
        },
        erased=DELETE,
    ),
    Personal(
        "accounts.TeacherProfile",
        whose=("user_id",),
        part="teacherProfile",
        shown={
            "department": "department",
            "education": "education",
            "telephone": "telephone",
            "interest": "interest",
        },
        erased=DELETE,
    ),
    Personal(
        "accounts.SchoolAccount",
        whose=("user_id",),
        part="schoolAccounts",
        shown={"provider": "issuer", "subject": "subject", "firstSignIn": "created_at"},
        erased=DELETE,
        moves="user_id",
    ),
    Personal(
        "accounts.OneTimeCode",
        whose=("user_id",),
        part="mailedCodes",
        shown={"purpose": "purpose", "goodUntil": "expires_at", "usedAt": "used_at"},
        withheld={"asked_from": "a hash of the address that asked, which it cannot be read from"},
        erased=DELETE,
    ),
    Personal(
        "accounts.Invitation",
        whose=("used_by_id",),
        part="invitations",
        shown={"email": "email", "role": "role", "usedAt": "used_at"},
        erased={"email": ""},
    ),
    # Without its address an invitation would be for whoever has the link.
    Personal("accounts.Invitation", also=_invited, erased={"email": "", "voided_at": lambda person: now()}),
    Personal(
        "accounts.Invitation",
        whose=("made_by_id",),
        part="invitationsMade",
        shown={"role": "role", "createdAt": "created_at"},
    ),
    Personal("accounts.Card", whose=("user_id",), part="card", shown={"madeAt": "made_at"}, erased=DELETE),
    Personal(
        "accounts.Card", whose=("made_by_id",), part="cardsMade", shown={"student": "user_id", "madeAt": "made_at"}
    ),
    Personal(
        "accounts.SecondFactor",
        whose=("user_id",),
        part="secondFactor",
        shown={"createdAt": "created_at"},
        withheld={
            "secret": "whoever has it signs in as you",
            "last_step": "says nothing but when the last code was used",
        },
        erased=DELETE,
    ),
    Personal("accounts.RecoveryCode", whose=("user_id",), erased=DELETE),
    Personal(
        "accounts.VoidedToken", whose=("user_id",), part="signOuts", shown={"tokenUntil": "expires_at"}, erased=DELETE
    ),
    Personal(
        "accounts.Attempts",
        withheld=dict.fromkeys(("key", "last_at", "known"), "counted under keyed hashes: nobody can be found by them"),
    ),
    Personal("accounts.User_groups", whose=("user_id",), part="groups", shown={"group": "group__name"}, erased=DELETE),
    Personal(
        "accounts.User_user_permissions",
        whose=("user_id",),
        part="rights",
        shown={"right": "permission__codename"},
        erased=DELETE,
    ),
    Personal(
        "sessions.Session",
        withheld={"session_data": "who is signed in to the pages, by the id; signing out everywhere ends it"},
    ),
    Personal(
        "admin.LogEntry",
        whose=("user_id",),
        part="changesInAdmin",
        shown={"at": "action_time", "thing": "object_id"},
        withheld=dict.fromkeys(("object_repr", "change_message"), "names other people"),
        texts=("object_repr", "change_message"),
    ),
    Personal("admin.LogEntry", whose=("object_id",), erased={"object_repr": "", "change_message": ""}),
)
