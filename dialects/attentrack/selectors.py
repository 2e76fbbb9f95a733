"""Reads of AttenTrack's own tables. All values are as the app spelt them (JSON), `""` where it sent none."""

from dialects.attentrack.models import CheckIn, TeachingPlace


def check_in_of(session_id: str) -> tuple[str, str]:
    """The code and the countdown of a session."""
    return CheckIn.objects.filter(pk=session_id).values_list("code", "countdown").first() or ("", "")


def place_of_teacher(teacher_id: str, *, or_of_anybody: bool = False) -> tuple[str, str]:
    """The location and the radius that the teacher last told.

    With `or_of_anybody` places that came without a token count as well; the last one that was told wins.
    """
    keys = [teacher_id, TeachingPlace.ANYBODY] if or_of_anybody else [teacher_id]
    told = TeachingPlace.objects.filter(pk__in=keys).order_by("-told_at")
    return told.values_list("location", "radius").first() or ("", "")
