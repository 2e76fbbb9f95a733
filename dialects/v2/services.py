"""Requests with an `Idempotency-Key`: the first of them is done, and the others get its answer.

The rows are in the database, so that this holds for several processes. A process that dies over a request leaves its
row without an answer. Nobody knows then whether the request was done, so it is not done again: whoever asks is told so.
"""

import time
from datetime import timedelta

from django.db import IntegrityError

from accounts.limits import take
from core import errors, limits
from core.database.unit_of_work import unit_of_work
from core.times import now
from dialects.v2.models import KeptAnswer

#: An answer is kept for so long.
KEPT = timedelta(hours=24)
#: A request that has no answer after this was probably lost with its process.
ABANDONED = timedelta(minutes=2)
#: So long a request waits for the first one's answer, seconds.
PATIENCE = 10.0
_PAUSE = 0.05


def answer_begin(*, person_id: str, key: str, digest: str) -> KeptAnswer:
    """The row of the person's key. Without a `status` the caller is the first, and is to do what was asked.

    Waits for a first request that is under way. Raises `InProgress` if that takes long, `OutcomeUnknown` if its answer
    is lost, `KeyReused` if the first request was another one, and `TooManyRequests`.
    """
    until = time.monotonic() + PATIENCE
    while True:
        found = KeptAnswer.objects.filter(person_id=person_id, key=key).first()
        moment = now()
        if found is None:
            try:
                return _insert(person_id, key, digest)
            except IntegrityError:
                continue  # another request was faster
        if found.began_at < moment - KEPT:
            KeptAnswer.objects.filter(pk=found.pk, began_at=found.began_at).delete()
            continue
        if found.digest != digest:
            raise errors.KeyReused
        if found.status is not None:
            return found
        if found.began_at < moment - ABANDONED:
            raise errors.OutcomeUnknown
        if time.monotonic() > until:
            raise errors.InProgress
        time.sleep(_PAUSE)


@unit_of_work
def _insert(person_id: str, key: str, digest: str) -> KeptAnswer:
    take(limits.KEYED, person_id)
    moment = now()
    KeptAnswer.objects.filter(began_at__lt=moment - KEPT).delete()
    return KeptAnswer.objects.create(person_id=person_id, key=key, digest=digest, began_at=moment)


@unit_of_work
def answer_keep(*, row: KeptAnswer, status: int, body: str, etag: str) -> None:
    """Keeps the first answer, for the other requests of the key."""
    KeptAnswer.objects.filter(pk=row.pk).update(status=status, body=body, etag=etag)


@unit_of_work
def answer_forget(*, row: KeptAnswer) -> None:
    """The request failed without an answer that would be the same again: the next one of the key is the first."""
    KeptAnswer.objects.filter(pk=row.pk, status=None).delete()
