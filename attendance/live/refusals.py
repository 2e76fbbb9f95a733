"""What sockets are refused: in the log and in the audit log, as requests are.

`core.rest.envelope` and `audit.middleware` do the same for requests.
"""

import logging
from typing import Any

from audit.middleware import REFUSED
from audit.models import Action, Outcome
from audit.trail import trail
from core import logs
from core.errors import ApiError
from core.identity import Actor
from core.ids import parse_id
from core.refusals import tell_refusal

logger = logging.getLogger(__name__)

#: The fields of the protocols' messages that name a session or a class by its id.
_THINGS = {"session": "session", "session_id": "session", "class": "class", "classId": "class"}


def socket_refused(why: str, *, account: str | None = None) -> None:
    """Somebody is not let in, because of a token that is not good or, with the id of an `account`, by a limit."""
    if account is None:
        logs.event(logger, "refused", "A socket is refused: %s.", why)
    trail.note(Action.CONNECT, "socket", actor=account, outcome=Outcome.REFUSED)


def message_refused(actor: Actor, way: str, raw: Any, error: ApiError, *, status: int, reads: bool) -> None:
    """`error` answers a message of `actor` with the data `raw`. It is noted if it says that the sender may not.

    `way`: the protocol and the message. `status`: the error's over REST, in the words of the protocol.
    """
    account = actor.id or None
    tell_refusal(error, account=account)
    if status in REFUSED:
        kind, thing = _thing(raw)
        action = Action.READ if reads else Action.CHANGE
        trail.note(action, way, actor=account, outcome=Outcome.REFUSED, kind=kind, thing=thing)


def _thing(raw: Any) -> tuple[str, str | None]:
    if isinstance(raw, dict):
        for field, kind in _THINGS.items():
            if thing := parse_id(raw.get(field)):
                return kind, thing
    return "", None
