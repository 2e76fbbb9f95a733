"""What somebody sees first: today."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.selectors import is_new
from attendance.enums import Status
from attendance.reports import Tally
from attendance.selectors import OpenSession, open_sessions, status_so_far, statuses_by_class
from classes.selectors import classes_of_student, classes_of_teacher, roster_sizes
from core.identity import Role
from core.rest.permissions import Audience
from web.views.page import Page


@dataclass(frozen=True, slots=True)
class TaughtClass:
    """A class on its teacher's page."""

    id: str
    name: str
    size: int
    live: OpenSession | None


@dataclass(frozen=True, slots=True)
class AttendedClass:
    """A class on its student's page. `status`: in the open session, or else in the last one."""

    id: str
    name: str
    teacher: str
    live: OpenSession | None
    status: Status | None
    tally: Tally


def taught_classes(teacher_id: str) -> list[TaughtClass]:
    """The teacher's classes: those that are live first, then by name."""
    found = classes_of_teacher(teacher_id)
    ids = [one.id for one in found]
    sizes, live = roster_sizes(ids), open_sessions(ids)
    shown = [TaughtClass(one.id, one.name, sizes[one.id], live.get(one.id)) for one in found]
    return sorted(shown, key=lambda one: (one.live is None, one.name.casefold()))


class Home(Page):
    """`/app/`: today, for who is signed in; else the sign-in, or the welcome of a new server."""

    audience = Audience.ANYONE
    section = "home"

    def get(self, request: HttpRequest) -> HttpResponse:
        if self.person is None:
            return redirect("web:sign-up" if is_new() else "web:sign-in")
        return self._student() if self.actor.role == Role.STUDENT else self._teacher()

    def _teacher(self) -> HttpResponse:
        shown = taught_classes(self.actor.id)
        content = {
            "live": [one for one in shown if one.live is not None],
            "classes": [one for one in shown if one.live is None],
            "has_students": any(one.size for one in shown),
        }
        return self.show("home_teacher.html", content)

    def _student(self) -> HttpResponse:
        return self.show("home_student.html", {"classes": self.attended()})

    def attended(self) -> list[AttendedClass]:
        found = classes_of_student(self.actor.id)
        ids = [one.id for one in found]
        live = open_sessions(ids)
        past = statuses_by_class(student_id=self.actor.id, class_ids=ids)
        shown = [
            AttendedClass(
                id=one.id,
                name=one.name,
                teacher=one.teacher.name,
                live=live.get(one.id),
                status=status_so_far(actor=self.actor, class_id=one.id)[1],
                tally=_tally(past[one.id]),
            )
            for one in found
        ]
        return sorted(shown, key=lambda one: (one.live is None, one.name.casefold()))


def _tally(statuses: list[Any]) -> Tally:
    present = sum(Status(status).as_basic is Status.PRESENT for status in statuses)
    return Tally(present, len(statuses) - present)
