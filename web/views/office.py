"""The school's office: people, invitations, and what all classes come to."""

from datetime import timedelta
from tempfile import TemporaryFile

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from accounts.invitations import Made, invitation_mail_or_print, invitation_print, invitation_void, invitations_listed
from accounts.selectors import people_found, user_get
from attendance.school_report import school_report
from classes.oneroster import School, export, school_year
from core import errors
from core.identity import Role
from core.ids import parse_id
from core.rest.files import attachment
from core.rest.permissions import Audience
from core.times import now, today
from web.forms.office import FindForm, InvitationForm, OneRosterForm
from web.pages import Slice
from web.views.page import Page
from web.views.reports import Days

#: The school's report begins so long ago. Of all that was ever recorded it would take longer with each year.
YEAR = timedelta(days=365)
#: Bytes that are sent at a time.
_SLICE = 64 * 1024


class OfficePage(Page):
    audience = Audience.SUPERUSER
    section = "office"


class Office(OfficePage):
    """`/app/office/`: what leads on to the rest."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return self.show("office.html")


class People(OfficePage):
    """`/app/office/people`: everybody who has an account, and who is looked for."""

    shows_people = True

    def get(self, request: HttpRequest) -> HttpResponse:
        form = FindForm(request.GET)
        text = form.cleaned_data["text"].strip() if form.is_valid() else ""
        role = Role(request.GET["role"]) if request.GET.get("role") in Role.values else None
        content = {
            "form": form,
            "slice": Slice.of(people_found(text=text, role=role), request.GET.get("page")),
        }
        return self.show("office_people.html", content)


class Invitations(OfficePage):
    """`/app/office/invitations`: those that were made, and a new one, whose link is shown this once."""

    shows_people = True
    slow = True

    def get(self, request: HttpRequest) -> HttpResponse:
        return self._page(InvitationForm())

    def post(self, request: HttpRequest) -> HttpResponse:
        form = InvitationForm(request.POST)
        made: Made | None = None
        if form.is_valid():
            try:
                made = self._make(Role(form.cleaned_data["role"]), form.cleaned_data["email"])
            except errors.ApiError as refusal:
                self.refuse(form, refusal, "email" if isinstance(refusal, errors.EmailTaken) else None)
            else:
                form = InvitationForm()
        return self._page(form, made)

    def _make(self, role: Role, email: str) -> Made:
        maker = user_get(self.actor.id)
        if not email:
            return invitation_print(role=role, made_by=maker)
        made = invitation_mail_or_print(role=role, email=email, made_by=maker)
        if made.mailed is None:
            messages.warning(self.request, _("The mail to %s could not be sent. Hand the link over instead.") % email)
        else:
            messages.success(self.request, _("The invitation is on its way to %s.") % email)
        return made

    def _page(self, form: InvitationForm, made: Made | None = None) -> HttpResponse:
        link = ""
        if made is not None and made.mailed is None:
            link = made.link(self.request.build_absolute_uri("/"))
        page = Slice.of(invitations_listed(), self.request.GET.get("page"))
        content = {
            "form": form,
            "link": link,
            "slice": page,
            "now": now(),
            "is_closed": settings.SIGNUP == "closed",
        }
        return self.show("office_invitations.html", content)


class InvitationWithdraw(OfficePage):
    """`/app/office/invitations/ID/withdraw`: nobody can accept it any more."""

    def post(self, request: HttpRequest, invitation_id: str) -> HttpResponse:
        key = parse_id(invitation_id)
        if key is not None and invitation_void(invitation_id=key):
            return self.done(_("The invitation is withdrawn."), "invitations")
        return self.done(_("The invitation was used or withdrawn before."), "invitations")


class SchoolReport(OfficePage, Days):
    """`/app/office/report`: what the records of each class come to, of the last year unless other days are named."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form, since, until = self.days(first=today() - YEAR)
        report = school_report(since=since, until=until)
        lines = [line for line in report.classes if line.lessons]
        content = {"days": form, "lines": lines, "total": report.tally}
        return self.show("office_report.html", content)


class OneRoster(OfficePage):
    """`/app/office/oneroster`: the school's users, classes and enrolments as a zip for other systems."""

    heavy = True

    def get(self, request: HttpRequest) -> HttpResponseBase:
        if "school" not in request.GET:
            first, last = school_year(today())
            return self.show("office_oneroster.html", {"form": OneRosterForm(initial={"since": first, "until": last})})
        form = OneRosterForm(request.GET)
        if not form.is_valid():
            return self.show("office_oneroster.html", {"form": form})
        said = form.cleaned_data
        file = TemporaryFile()  # noqa: SIM115  it is closed with the answer
        for _name, _rows in export(file, School(said["school"].strip(), said["since"], said["until"])):
            pass
        file.seek(0)
        answer = attachment(iter(lambda: file.read(_SLICE), b""), said["school"], "zip", "application/zip")
        answer._resource_closers.append(file.close)  # type: ignore[attr-defined]
        return answer
