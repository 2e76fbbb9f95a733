"""Writing the audit log: once a second, all that was noted in one transaction, from a thread of its own.

So nobody waits for a row: neither a mark nor a read. What is the same within a second is one row with a number, so a
flood of refusals makes few rows. A process that is killed loses the entries of its last second; the changes themselves,
marks and sessions with who made them, are in their own tables.
"""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection

from audit.models import Action, Entry, Outcome
from core import asking
from core.database.batches import batches
from core.database.failures import DATABASE_ERRORS
from core.database.unit_of_work import unit_of_work
from core.plurals import counted
from core.server.shutdown import on_stopping
from core.times import now

logger = logging.getLogger(__name__)

INTERVAL = 1.0  # seconds
#: Different entries that may wait for the database, while it is away. Those beyond are dropped, and the log says so.
LONGEST = 10_000
#: Old entries are deleted this often, seconds.
PRUNING = 3600.0


#: What apps above delete when old entries go.
_pruning: list[Callable[[], object]] = []


def on_pruning(work: Callable[[], object]) -> None:
    """Has every server call `work` once an hour: it deletes rows of which the time is over."""
    _pruning.append(work)


@dataclass(frozen=True, slots=True)
class _Same:
    """What entries of one row have in common."""

    action: Action
    outcome: Outcome
    way: str
    actor: str
    kind: str
    thing: str
    address: str


class Trail:
    """What waits to be written in this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[_Same, Entry] = {}
        self._dropped = 0
        self._thread: threading.Thread | None = None
        self._pruned_at = float("-inf")

    def note(
        self,
        action: Action,
        way: str,
        *,
        actor: str | None = None,
        outcome: Outcome = Outcome.DONE,
        kind: str = "",
        thing: str | None = None,
    ) -> None:
        """Notes what `actor` (an id, None for nobody in particular) does. From any thread; nobody waits.

        The address and the request are the running code's (`core.asking`).
        """
        by = asking.current.get()
        same = _Same(action, outcome, way[:128], actor or "", kind[:32], (thing or "")[:64], by.address[:45])
        with self._lock:
            entry = self._waiting.get(same)
            if entry is not None:
                entry.times += 1
            elif len(self._waiting) < LONGEST:
                self._waiting[same] = _entry(same, by.request_id or by.socket_id)
            else:
                self._dropped += 1

    def start(self) -> None:
        """Begins to write once a second. Once more does nothing."""
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
                self._thread.start()

    def flush(self) -> None:
        """Writes what waits. What the database does not take waits on."""
        with self._lock:
            waiting, self._waiting = self._waiting, {}
            dropped, self._dropped = self._dropped, 0
        if dropped:
            logger.error(
                "%s of the audit log could not be kept: the database took none.", counted(dropped, "entry", "entries")
            )
        try:
            if waiting:
                _write(list(waiting.values()))
        except DATABASE_ERRORS:
            logger.exception("The audit log cannot be written; its entries wait.")
            connection.close()
            with self._lock:
                self._waiting = {**waiting, **self._waiting}

    def _run(self) -> None:
        while True:
            time.sleep(INTERVAL)
            self.flush()
            if time.monotonic() - self._pruned_at >= PRUNING:
                self._pruned_at = time.monotonic()
                prune_all()
            if connection.vendor == "postgresql":
                connection.close()  # it goes back to the pool


def _entry(same: _Same, request_id: str) -> Entry:
    return Entry(
        actor=same.actor,
        action=same.action,
        outcome=same.outcome,
        way=same.way,
        kind=same.kind,
        thing=same.thing,
        address=same.address,
        request_id=request_id,
    )


@unit_of_work
def _write(entries: list[Entry]) -> None:
    for part in batches(entries):
        Entry.objects.bulk_create(part)


@unit_of_work
def prune() -> None:
    """Deletes entries that are older than AUDIT_DAYS."""
    Entry.objects.filter(at__lt=now() - timedelta(days=settings.AUDIT_DAYS)).delete()


def prune_all() -> None:
    """What every server does once an hour: old entries go, and what apps above let go (`on_pruning`)."""
    for work in (prune, *_pruning):
        with contextlib.suppress(*DATABASE_ERRORS):  # an hour later it is tried again
            work()


def command(action: Action, name: str, *, kind: str = "", thing: str | None = None) -> None:
    """Writes at once what a command of the server's owner has done."""
    _write([Entry(action=action, outcome=Outcome.DONE, way=f"manage.py {name}", kind=kind, thing=thing or "")])


#: This process's trail.
trail = Trail()


async def _stop() -> None:
    await asyncio.to_thread(trail.flush)


on_stopping(_stop)
