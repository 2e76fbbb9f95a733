"""What an account counts for: its role, its address, its roll number.

Whoever signs up says who they are, and anybody can say that. So what an account says counts in three steps:

- The role of somebody who signed up counts with SIGNUP=open. With any other policy it counts once the mailbox is
  proved: until then a teacher's account may do what a student's may.
- The address of somebody who signed up counts once the mailbox is proved. Until then, with any policy but `open`, no
  class sheet, roll number or roster takes the account for the person whom the school means by that address.
- A roll number gives way to a class sheet where neither the school gave it nor a proof stands behind it. So nobody
  keeps a real sheet from being used by taking its roll numbers first.

Everything else the school made: the admin, a command, an import, a superuser, an invitation, a teacher's class sheet.
A sheet of a teacher who signed up with SIGNUP=open is no word of the school's, since anybody may be such a teacher.
"""

from dataclasses import dataclass

from django.conf import settings

from accounts.models import Origin, User
from core.identity import Role

_BY_THE_SCHOOL = (Origin.SCHOOL, Origin.INVITED)


def is_open() -> bool:
    """Whether anybody may sign up as anything."""
    return bool(settings.SIGNUP == "open")


def role_counts(*, origin: str, is_proved: bool) -> bool:
    """Whether the account may do what its role may."""
    return is_open() or is_proved or origin != Origin.SELF


def role_that_counts(*, role: str, origin: str, is_proved: bool) -> Role:
    """The role with which the account may act now."""
    return Role(role) if role_counts(origin=origin, is_proved=is_proved) else Role.STUDENT


def address_counts(user: User) -> bool:
    """Whether the school may take the account for the person whom it means by the address."""
    return user.is_proved or user.origin in (Origin.SCHOOL, Origin.SHEET)


def is_set_aside(user: User) -> bool:
    """Whether nothing that the school says of the address may be attached to the account."""
    return not is_open() and not address_counts(user)


@dataclass(frozen=True, slots=True)
class Author:
    """Who speaks in a class sheet: the teacher with this id.

    `is_school`: the school stands behind the sheet. `origin`: how the accounts that the sheet makes come to be.
    """

    id: str
    is_school: bool
    origin: Origin = Origin.SHEET


def author_of(teacher: User) -> Author:
    """The teacher as the author of a class sheet."""
    return Author(teacher.id, _speaks_for_school(teacher))


def school_as_author(teacher_id: str) -> Author:
    """The school as the author of a sheet for the teacher's class: whoever runs commands on the server."""
    return Author(teacher_id, is_school=True, origin=Origin.SCHOOL)


def _speaks_for_school(teacher: User) -> bool:
    return teacher.origin in _BY_THE_SCHOOL or (teacher.is_proved and not is_open())


def is_of_school(user: User, maker: User | None) -> bool:
    """Whether the school made the account. `maker` is its `made_by`."""
    if user.origin == Origin.SHEET:
        return maker is not None and _speaks_for_school(maker)
    return user.origin in _BY_THE_SCHOOL


def gives_way(user: User, maker: User | None, author: Author) -> bool:
    """Whether the account's roll number gives way to what the sheet of `author` says.

    Never where it is all that the account is known by; the school alone makes such accounts.
    """
    if not user.email or is_of_school(user, maker):
        return False
    if author.is_school:
        return is_open() or not user.is_proved
    return user.origin == Origin.SHEET and user.never_registered


def may_correct(user: User, maker: User | None, author: Author) -> bool:
    """Whether the sheet of `author` may give the account another roll number than it has."""
    own = user.made_by_id == author.id
    return (own and (author.is_school or not user.is_proved)) or gives_way(user, maker, author)


def may_number(user: User, maker: User | None, author: Author) -> bool:
    """Whether the sheet of `author` may give a roll number to the account, which has none."""
    own = user.made_by_id == author.id
    return author.is_school or own or not user.is_proved or is_of_school(user, maker)


def name_stands(teacher: User, author: Author) -> bool:
    """Whether a class name that `teacher` has used is taken for a sheet of `author` that wants it alone."""
    return teacher.id == author.id or _speaks_for_school(teacher) or (teacher.is_proved and not author.is_school)
