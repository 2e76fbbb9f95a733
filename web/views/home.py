"""What somebody sees first: today."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.selectors import is_new, user_get
from attendance.counting import Tally
from attendance.enums import Status
from attendance.excuses import excuses_waiting
from attendance.lessons import LessonOfDay, lessons_on
from attendance.selectors import OpenSession, open_sessions, statuses_so_far
from attendance.student_report import student_report
from classes.selectors import classes_of_student, classes_taught, roster_sizes
from core.identity import Actor, Role
from core.names import by_name
from core.rest.permissions import Audience
from core.times import now, today
from web.live_words import mine_data
from web.statuses import ORDER
from web.views.page import Page

#: So many classes of a student are live on one page.
FOLLOWED = 8


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class on its teacher's page."""

    id: str
    name: str
    size: int
    live: OpenSession | None
    #: Whose class it is, where it is another teacher's.
    owner: str


@dataclass(frozen=True, slots=True)
class AttendedClass:
    """A class on its student's page. `status`: in the open session, or else in the last one."""

    id: str
    name: str
    teacher: str
    live: OpenSession | None
    status: Status | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class LessonToday:
    """A lesson of today's on its teacher's page."""

    lesson: LessonOfDay
    is_live: bool
    #: Whether it is over, and nobody began it.
    is_missed: bool
    #: Whether it is the one to begin now, or the first one to come.
    is_next: bool


def lessons_today(actor: Actor, live: Collection[str]) -> list[LessonToday]:
    """The lessons of today, by time; `live` are the ids of the sessions that are open."""
    found, has_next, moment = [], False, now()
    for one in lessons_on(actor=actor, day=today()):
        is_to_come = one.session_id is None and one.end is not None and moment < one.end
        is_missed = one.session_id is None and not is_to_come
        found.append(LessonToday(one, one.session_id in live, is_missed, is_to_come and not has_next))
        has_next = has_next or is_to_come
    return found


def taught_classes(actor: Actor) -> list[TaughtClass]:
    """The classes that the person teaches, and all of them for the office: those that are live first, then by name."""
    shown = classes_shown(actor, list(classes_taught(actor=actor, archived=False).select_related("teacher")))
    return sorted(shown, key=lambda one: (one.live is None, by_name(one.name, one.id)))


def classes_shown(actor: Actor, found: Sequence[Any]) -> list[TaughtClass]:
    """These classes with their sizes and open sessions, in their order. Their teachers are there already."""
    ids = [one.id for one in found]
    sizes, live = roster_sizes(ids), open_sessions(ids)
    return [
        TaughtClass(
            one.id, one.name, sizes[one.id], live.get(one.id), "" if one.teacher_id == actor.id else one.teacher.name
        )
        for one in found
    ]


def attended_classes(actor: Actor, found: Sequence[Any]) -> list[AttendedClass]:
    """These classes that the student is in: those that are live first, then by name."""
    live = open_sessions([one.id for one in found])
    report = student_report(student=user_get(actor.id), classes=found)
    tallies = {one.id: one.tally for one in report.classes}
    statuses = statuses_so_far(student_id=actor.id, class_ids=list(tallies))
    shown = [
        AttendedClass(
            id=one.id,
            name=one.name,
            teacher=one.teacher.name,
            live=live.get(one.id),
            status=statuses.get(one.id),
            tally=tallies[one.id],
        )
        for one in found
    ]
    return sorted(shown, key=lambda one: (one.live is None, by_name(one.name, one.id)))


class Home(Page):
    """`/app/`: today, for who is signed in; else the sign-in, or the welcome of a new server."""

    audience = Audience.ANYONE
    section = "home"

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.person is None:
            return redirect("web:sign-up" if is_new() and settings.SIGNUP == "open" else "web:sign-in")
        return self._student("archived" in request.GET) if self.actor.role == Role.STUDENT else self._teacher()

    def _teacher(self) -> HttpResponse:
        shown = [one for one in taught_classes(self.actor) if not one.owner or one.live or not self.actor.is_superuser]
        live = [one.live.id for one in shown if one.live is not None]
        content = {
            # The office sees every class: all lessons of the school would be too many here.
            "lessons": [] if self.actor.is_superuser else lessons_today(self.actor, live),
            "live": [one for one in shown if one.live is not None],
            "classes": [one for one in shown if one.live is None],
            "has_students": any(one.size for one in shown),
            "excuses": excuses_waiting(self.actor).count(),
        }
        return self.show("home_teacher.html", content)

    def _student(self, archived: bool) -> HttpResponse:
        """Their classes; with `archived` those of earlier years, of which there are more with each."""
        classes = classes_of_student(self.actor.id)
        shown = attended_classes(self.actor, [one for one in classes if (one.archived_at is not None) == archived])
        # A student is in few classes. One socket follows the first of them, as many as it may.
        data = mine_data(self.actor.id, [one.id for one in shown][:FOLLOWED])
        content = {
            "classes": shown,
            "archived": archived,
            "has_archive": len(shown) < len(classes),
            "data": data,
            "statuses": ORDER,
            "zone": settings.TIME_ZONE,
        }
        return self.show("home_student.html", content)
