"""The timetable of a class: its week, its slots, and a calendar file that brings them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from classes import timetable_imports
from classes.calendars.reasons import CalendarError
from classes.holidays import holidays_within
from classes.previews import SentFile
from classes.services import class_settings_update
from classes.timetables import WEEK, WeeklyLesson, timetable, timetable_replace
from core import errors
from core.rest.rendered import tag_of
from core.times import is_far, today
from web.calendar_words import counts_shown, rows_shown
from web.forms.timetables import SlotForm, TermForm
from web.views.classes import ClassPage


@dataclass(frozen=True, slots=True)
class DayOfWeek:
    """A day of the week that is shown: its lessons, or the holidays because of which there are none."""

    day: date
    is_today: bool
    lessons: Sequence[WeeklyLesson]
    holidays: Sequence[str]


def week_of(slots: Sequence[WeeklyLesson], day: date) -> list[DayOfWeek]:
    """The days of the week of `day`, from Monday on."""
    monday = day - timedelta(days=day.weekday())
    days = [monday + timedelta(days=number) for number in range(7)]
    holidays = holidays_within(days[0], days[-1])
    found = []
    for one in days:
        names = [holiday.name for holiday in holidays if holiday.since <= one <= holiday.until]
        lessons = [] if names else [slot for slot in slots if slot.is_on(one)]
        found.append(DayOfWeek(one, one == today(), lessons, names))
    return found


class TimetablePage(ClassPage):
    tab = "timetable"

    def tag(self, slots: Sequence[WeeklyLesson]) -> str:
        """Of the slots that a form was made from: who else changed them meanwhile is not overruled."""
        return tag_of(*map(repr, slots))

    def seen(self) -> list[WeeklyLesson]:
        """The slots, which are still those that the form was made from. Raises `Changed`."""
        slots = timetable(self.found.id)
        if self.request.POST.get("seen") != self.tag(slots):
            raise errors.Changed
        return slots

    def replaced(self, form: SlotForm, before: list[WeeklyLesson], others: list[WeeklyLesson]) -> HttpResponse | None:
        """Leads on once the class has the form's slot besides `others`; None where the form says what is wrong."""
        if not form.is_valid():
            return None
        try:
            timetable_replace(class_id=self.found.id, slots=[*others, form.slot], seen=before)
        except errors.InvalidSchema as refusal:
            sentences = {
                "start": _("Another lesson of the class is at this time."),
                "end": _("The end is not after the start."),
                "until": _("The last day is before the first."),
            }
            for name in refusal.fields:
                field = name.rpartition(".")[2]
                form.add_error(field, sentences[field])
            return None
        return self.done(_("The timetable is changed."), "class-timetable", class_id=self.found.id)


class ClassTimetable(TimetablePage):
    """`/app/classes/ID/timetable`: a week (`?day=`), all slots, and a new one."""

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self._page(SlotForm(initial={"weekday": today().isoweekday()}))

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = SlotForm(request.POST)
        before = self.seen() if form.is_valid() else []
        return self.replaced(form, before, before) or self._page(form)

    def _page(self, form: SlotForm) -> HttpResponse:
        slots, day = timetable(self.found.id), self._day()
        content = {
            "form": form,
            "slots": slots,
            "seen": self.tag(slots),
            "week": week_of(slots, day),
            "before": day - WEEK,
            "after": day + WEEK,
        }
        return self.show("class_timetable.html", content)

    def _day(self) -> date:
        try:
            day = date.fromisoformat(self.request.GET.get("day", ""))
        except ValueError:
            return today()
        return today() if is_far(day) else day


class ClassSlot(TimetablePage):
    """`/app/classes/ID/timetable/N`: the slot of this number, changed or removed."""

    def get(self, request: HttpRequest, class_id: str, number: int) -> HttpResponse:
        slots = timetable(self.found.id)
        return self._page(SlotForm.of(self._slot(slots, number)), slots)

    def post(self, request: HttpRequest, class_id: str, number: int) -> HttpResponse:
        slots = self.seen()
        mine = self._slot(slots, number)
        others = [slot for slot in slots if slot is not mine]
        if "remove" in request.POST:
            timetable_replace(class_id=self.found.id, slots=others, seen=slots)
            return self.done(_("The lesson is taken out of the timetable."), "class-timetable", class_id=self.found.id)
        form = SlotForm(request.POST)
        return self.replaced(form, slots, others) or self._page(form, slots)

    def _slot(self, slots: Sequence[WeeklyLesson], number: int) -> WeeklyLesson:
        if not 1 <= number <= len(slots):
            raise errors.NotFound
        return slots[number - 1]

    def _page(self, form: SlotForm, slots: Sequence[WeeklyLesson]) -> HttpResponse:
        return self.show("class_slot.html", {"form": form, "seen": self.tag(slots)})


class ClassOpening(TimetablePage):
    """`/app/classes/ID/timetable/opening`: lessons open by themselves from now on, or with `off` they do not."""

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        is_on = "off" not in request.POST
        class_settings_update(class_id=self.found.id, opens_by_itself=is_on)
        words = _("Lessons open by themselves.") if is_on else _("Lessons do not open by themselves any more.")
        return self.done(words, "class-timetable", class_id=self.found.id)


class TimetableImport(TimetablePage):
    """`/app/classes/ID/timetable/import`. Nothing is written before the teacher has seen the plan and says so."""

    heavy = True

    def get(self, request: HttpRequest, class_id: str) -> HttpResponse:
        return self.show("timetable_import.html", {"form": TermForm()})

    def post(self, request: HttpRequest, class_id: str) -> HttpResponse:
        form = TermForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show("timetable_import.html", {"form": form})
        data = form.cleaned_data
        try:
            if "sent" not in data:
                return self._do(data["token"])
            return self._preview(replace(data["sent"], since=data["since"], until=data["until"]))
        except CalendarError as refusal:
            form.add_error("file", str(refusal))
        except errors.PreviewNotFound:
            form.add_error("file", _("Choose the file once more."))
        except errors.TooManyRequests as refusal:
            self.refuse(form, refusal)
        return self.show("timetable_import.html", {"form": form})

    def _do(self, token: str) -> HttpResponse:
        given = {"actor": self.actor, "class_id": self.found.id, "token": token}
        try:
            timetable_imports.timetable_import(**given)
        except errors.Changed as refusal:
            return self._preview(timetable_imports.timetable_import_file(**given), refusal)
        return self.done(_("The class has its new timetable."), "class-timetable", class_id=self.found.id)

    def _preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        shown = timetable_imports.timetable_import_preview(actor=self.actor, class_id=self.found.id, file=file)
        content: dict[str, Any] = {
            "file_name": file.name,
            "token": shown.token,
            "slots": shown.plan.slots,
            "before": shown.before,
            "rows": rows_shown(shown.plan.rows),
            "counts": counts_shown(shown.plan.rows),
            "refusal": refusal,
        }
        return self.show("timetable_import_preview.html", content, status=refusal.status if refusal else 200)
