"""Writes of AttenTrack's own tables."""

from attendance.services import session_start
from core.database.unit_of_work import after_commit, retry_races, unit_of_work
from core.identity import Actor
from core.times import now
from dialects.attentrack.board import board
from dialects.attentrack.models import CheckIn, TeachingPlace


@retry_races
@unit_of_work
def check_in_open(*, actor: Actor, class_id: str, code: str, countdown: str) -> None:
    """Starts or resumes the session of a class of `actor`; students who know `code` may mark themselves from then on.

    `code` and `countdown` are the app's JSON, `""` for none. The session and its code come in one unit of work, so that
    no session is ever open without the code that it was started with. Raises `ClassNotFound`, `NotClassTeacher`.
    """
    session = session_start(actor=actor, class_id=class_id)
    told = {"code": code, "countdown": countdown}
    if not CheckIn.objects.filter(pk=session.id).update(**told):
        CheckIn.objects.create(session_id=session.id, **told)
    after_commit(board.forget)


@retry_races
@unit_of_work
def place_tell(*, teacher_id: str | None, location: str, radius: str) -> None:
    """Notes where a teacher is and how far from there students may be, both as the app's JSON.

    `teacher_id` is None for a place that came without a token.
    """
    key = teacher_id or TeachingPlace.ANYBODY
    told = {"location": location, "radius": radius, "told_at": now()}
    if not TeachingPlace.objects.filter(pk=key).update(**told):
        TeachingPlace.objects.create(key=key, **told)
    after_commit(board.forget)
