"""The kinds of person who send events, for the dialects' tables of permissions."""

import time
from collections.abc import Collection, Mapping

from tests.realtime.conftest import People
from tests.support.clients import Person, Room, make_token

WHO = ("owner", "other teacher", "enrolled student", "other student", "expired token")


def token_of(who: str, people: People, room: Room) -> str:
    """A token of one of WHO. The token of the last one expired a minute ago."""
    persons: dict[str, Person] = {
        "owner": room.teacher,
        "other teacher": people.other_teacher,
        "enrolled student": room.students[0],
        "other student": people.outsider,
    }
    if who in persons:
        return persons[who].token
    return make_token(room.teacher.id, "teacher", iat=int(time.time()) - 3600, exp=int(time.time()) - 60)


def is_complete(table: Mapping[tuple[str, str], str], events: Collection[str]) -> bool:
    """Whether a table has every event and every kind of person."""
    return set(table) == {(event, who) for event in events for who in WHO}
