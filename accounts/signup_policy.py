"""Who may make an account by themself: the setting SIGNUP. The same for every door."""

from collections.abc import Callable, Mapping

from django.conf import settings

from core import errors
from core.emails import domain_key
from core.identity import Role


def _students(role: Role, email: str) -> None:
    if role != Role.STUDENT:
        raise errors.SignupForStudentsOnly


def _domains(role: Role, email: str) -> None:
    if domain_key(email.rpartition("@")[2]) not in map(domain_key, settings.SIGNUP_DOMAINS):
        raise errors.SignupForSchoolOnly


def _invited(role: Role, email: str) -> None:
    raise errors.InvitationNeeded


def _closed(role: Role, email: str) -> None:
    raise errors.SignupClosed


_RULES: Mapping[str, Callable[[Role, str], None]] = {
    "open": lambda role, email: None,
    "students": _students,
    "domains": _domains,
    "invited": _invited,
    "closed": _closed,
}
#: What a door that makes accounts may refuse by the policy.
SIGNUP_REFUSALS = (
    errors.SignupForStudentsOnly,
    errors.SignupForSchoolOnly,
    errors.InvitationNeeded,
    errors.SignupClosed,
)


def check_signup(*, role: Role, email: str) -> None:
    """Raises a `SignupRefused` where somebody without an invitation may not make such an account."""
    _RULES[settings.SIGNUP](role, email)


def check_invitations() -> None:
    """Raises `SignupClosed` where nobody may sign up with an invitation either."""
    if settings.SIGNUP == "closed":
        raise errors.SignupClosed
