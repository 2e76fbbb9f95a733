"""What is read of AttenTrack's own tables: all of it as the app spelt it (JSON), `""` where it said nothing."""

from dialects.attentrack.models import CheckIn, TeachingPlace


def check_in_of(session_id: str) -> tuple[str, str]:
    """The code and the countdown of a session."""
    return CheckIn.objects.filter(pk=session_id).values_list("code", "countdown").first() or ("", "")


def place_of_teacher(teacher_id: str, *, or_of_anybody: bool = False) -> tuple[str, str]:
    """Location and radius as the teacher last told them.

    With `or_of_anybody` a place that nobody knows the teller of counts as well; the last one told wins.
    """
    keys = [teacher_id, TeachingPlace.ANYBODY] if or_of_anybody else [teacher_id]
    told = TeachingPlace.objects.filter(pk__in=keys).order_by("-told_at")
    return told.values_list("location", "radius").first() or ("", "")
