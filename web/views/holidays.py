"""Holidays of the school, for its office."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from classes import holidays
from classes.calendars.reasons import CalendarError
from classes.previews import PreviewKind, SentFile, preview_get
from core import errors
from web.calendar_words import counts_shown, rows_shown
from web.forms.timetables import CalendarForm, HolidayForm
from web.views.office import OfficePage


class Holidays(OfficePage):
    """`/app/office/holidays`: days without lessons, and new ones."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(HolidayForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = HolidayForm(request.POST)
        if form.is_valid():
            try:
                holidays.holiday_add(**form.cleaned_data)
            except errors.InvalidSchema:
                form.add_error("until", _("The last day is before the first."))
            else:
                return self.done(_("On these days there are no lessons."), "holidays")
        return self._page(form)

    def _page(self, form: HolidayForm) -> HttpResponse:
        return self.show("office_holidays.html", {"form": form, "holidays": holidays.holidays_listed()})


class HolidayRemove(OfficePage):
    """`/app/office/holidays/ID/remove`."""

    def post(self, request: HttpRequest, holiday_id: str) -> HttpResponse:
        holidays.holiday_remove(holiday=holidays.holiday_get(holiday_id))
        return self.done(_("These days have their lessons again."), "holidays")


class HolidaysImport(OfficePage):
    """`/app/office/holidays/import`. Nothing is written before the office has seen the plan and says so."""

    heavy = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("office_holidays_import.html", {"form": CalendarForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = CalendarForm(request.POST, request.FILES)
        if not form.is_valid():
            return self.show("office_holidays_import.html", {"form": form})
        try:
            if "sent" not in form.cleaned_data:
                return self._do(form.cleaned_data["token"])
            return self._preview(form.cleaned_data["sent"])
        except CalendarError as refusal:
            form.add_error("file", str(refusal))
        except errors.PreviewNotFound:
            form.add_error("file", _("Choose the file once more."))
        except errors.TooManyRequests as refusal:
            self.refuse(form, refusal)
        return self.show("office_holidays_import.html", {"form": form})

    def _do(self, token: str) -> HttpResponse:
        try:
            new = len(holidays.holidays_import(actor=self.actor, token=token))
        except errors.Changed as refusal:
            kind = PreviewKind.HOLIDAYS
            kept = preview_get(actor=self.actor, kind=kind, about_id=self.actor.id, token=token)
            return self._preview(kept.file, refusal)
        words = ngettext("%d holiday is new.", "%d holidays are new.", new) % new
        return self.done(words, "holidays")

    def _preview(self, file: SentFile, refusal: errors.ApiError | None = None) -> HttpResponse:
        shown = holidays.holidays_import_preview(actor=self.actor, file=file)
        content: dict[str, Any] = {
            "file_name": file.name,
            "token": shown.token,
            "new": shown.new,
            "rows": rows_shown(shown.plan.rows),
            "counts": counts_shown(shown.plan.rows),
            "refusal": refusal,
        }
        return self.show("office_holidays_preview.html", content, status=refusal.status if refusal else 200)
