"""All that is stored of a person, as a file for that person."""

from accounts.limits import take
from accounts.models import User
from accounts.selectors import user_get
from audit.models import Action
from audit.trail import trail
from core.database.personal import Person, parts_of, withheld
from core.limits import OWN_DATA
from core.rest.rendered import encode
from core.times import now, to_iso


def person_of(user: User) -> Person:
    """The names by which the tables may know somebody."""
    return Person(user.id, user.name, user.email, user.roll_number or "")


def own_data(*, user_id: str) -> bytes:
    """The file, JSON: `{madeAt, parts: {part: [row, …]}, withheld: [{table, column, why}]}`.

    A row at a time is turned into text, because somebody who has taught for years has many. Raises `UserNotFound`,
    `TooManyRequests`.
    """
    person = person_of(user_get(user_id))
    take(OWN_DATA, person.id)
    trail.note(Action.EXPORT, "own data", actor=person.id)
    parts = b",".join(
        encode(name) + b":[" + b",".join(encode(row) for row in rows) + b"]" for name, rows in parts_of(person)
    )
    head = b'{"madeAt":' + encode(to_iso(now()))
    return head + b',"parts":{' + parts + b'},"withheld":' + encode(withheld()) + b"}"
