"""Names stand in one order wherever people read them: in the pages, the admin, the rosters of v2, reports and files."""

import csv
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import User
from attendance.class_report import class_report
from attendance.school_report import school_report
from attendance.selectors import session_sheet
from classes.models import Class, CoTeacher, Enrolment
from dialects.v2.live.frames import roster
from tests.api.rest import School, make_user
from tests.dialects.v2.rest import Asking, V2Rest
from tests.web.people import signed_in, text_of

pytestmark = pytest.mark.django_db

#: As people look for them; made in the opposite order.
NAMES = ["Anna", "anna", "Émile", "erik", "Łukasz", "Marta", "Øyvind", "Pia", "Zoë"]


class Named(School):
    """Students, classes and co-teachers of those names, and somebody of the office."""

    def __init__(self) -> None:
        super().__init__()
        self.boss = make_user("Boss", "teacher", is_staff=True, is_superuser=True)
        Enrolment.objects.all().delete()
        User.objects.filter(role="student").delete()
        # Ids rise with time, and the two who fold alike stand by their ids.
        for number in (0, 1, *range(len(NAMES) - 1, 1, -1)):
            student = self.add("student", number)
            Enrolment.objects.create(class_ref=self.physics, student=student)
            Class.objects.create(name=NAMES[number], teacher=self.owner)
            CoTeacher.objects.create(class_ref=self.physics, teacher=self.add("teacher", number))

    def add(self, role: str, number: int) -> User:
        return User.objects.create(name=NAMES[number], email=f"{role}{number}@example.com", role=role, password="!")

    def page(self, path: str, who: User | None = None) -> list[str]:
        """The names on a page, each where it stands first."""
        return found_in(text_of(signed_in(who or self.owner).get(path)))

    @property
    def v2(self) -> Asking:
        return V2Rest().as_(self.owner)

    def v2_pages(self, path: str, field: str) -> list[str]:
        """All pages of a list, two items a page."""
        names: list[str] = []
        after = ""
        while True:
            page = self.v2.get(f"{path}?limit=2{after}").data
            names += [item[field] for item in page["items"]]
            if page["next"] is None:
                return names
            after = f"&after={page['next']}"

    def export(self) -> list[str]:
        out = io.StringIO()
        call_command("export_attendance", self.class_id, stdout=out)
        return [row[1] for row in csv.reader(io.StringIO(out.getvalue())) if row[2:] and "@" in row[2]]

    def frame(self) -> list[str]:
        sheet = session_sheet(self.start_session())
        return [line["name"] for line in roster([(one.student_id, one.name) for one in sheet.entries], {})]


def found_in(html: str) -> list[str]:
    """The names that stand in the page between tags, without what is said twice."""
    said = [unescape(text).strip() for text in re.findall(r">([^<>]+)<", html)]
    return list(dict.fromkeys(text for text in said if text in NAMES))


def ended(school: Named) -> str:
    session = school.start_session()
    school.finish_session()
    return session


SURFACES: dict[str, Callable[[Named], Any]] = {
    "the pages' list of students": lambda school: school.page(f"/app/classes/{school.class_id}/students"),
    "the pages' classes": lambda school: school.page("/app/classes/"),
    "the pages' co-teachers": lambda school: school.page(f"/app/classes/{school.class_id}/settings"),
    "the board": lambda school: school.page(f"/app/sessions/{school.start_session()}/"),
    "a record": lambda school: school.page(f"/app/sessions/{ended(school)}/"),
    "the printed list": lambda school: school.page(f"/app/sessions/{ended(school)}/print"),
    "the pages' report": lambda school: ended(school) and school.page(f"/app/classes/{school.class_id}/reports"),
    "the office's people": lambda school: school.page("/app/office/people?role=student", school.boss),
    "v2's classes": lambda school: school.v2_pages("/classes", "className"),
    "v2's students": lambda school: school.v2_pages(f"/classes/{school.class_id}/students", "name"),
    "v2's teachers": lambda school: [
        one["name"] for one in school.v2.get(f"/classes/{school.class_id}/teachers").data["items"] if not one["owner"]
    ],
    "v2's session": lambda school: [
        line["name"] for line in school.v2.get(f"/sessions/{school.start_session()}").data["roster"]
    ],
    "v2's frames": Named.frame,
    "the report of a class": lambda school: [line.name for line in class_report(class_id=school.class_id).students],
    "the report of the school": lambda school: [line.name for line in school_report().classes if line.name in NAMES],
    "the export": Named.export,
    "the admin's people": lambda school: school.page("/admin/accounts/user/?role__exact=student", school.boss),
    "the admin's classes": lambda school: school.page("/admin/classes/class/", school.boss),
    "the admin's roster": lambda school: school.page(
        f"/admin/classes/enrolment/?class_ref__id__exact={school.class_id}", school.boss
    ),
}


@pytest.mark.parametrize("surface", SURFACES)
def test_names_stand_as_people_look_for_them(surface: str) -> None:
    school = Named()
    assert [name for name in SURFACES[surface](school) if name != school.physics.name] == NAMES
