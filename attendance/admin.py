"""The admin's pages of sessions, the journal and the records. All changes go through services."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.db.models import F, Q, QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import smart_split, unescape_string_literal

from accounts.admin import LONGEST_SEARCH, KnownRows, WritablePage
from accounts.late_saves import Change
from accounts.models import User
from attendance import admin_classes, admin_people, services  # noqa: F401  they register their pages
from attendance.enums import SessionState, Status
from attendance.folding import LastMark, last_marks, last_marks_by_session
from attendance.models import Attendance, Mark, Session
from attendance.selectors import session_in_focus
from classes.admin import SizedList
from classes.models import Class, Enrolment
from classes.selectors import roster_sizes
from core import errors
from core.ids import parse_id
from core.names import by_name

if TYPE_CHECKING:
    _SessionAdmin = admin.ModelAdmin[Session]
    _MarkAdmin = admin.ModelAdmin[Mark]
    _RecordAdmin = admin.ModelAdmin[Attendance]
else:
    _SessionAdmin = _MarkAdmin = _RecordAdmin = admin.ModelAdmin

#: A session's page shows no more people than this. (Lists have pages.)
MOST_ROWS = 1000
#: A search names so many students, and so many sessions, one by one.
MOST_NAMED = 1000


class ReadOnly:
    """Mixin for pages that show, and on which nobody can add, change or delete."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def _counts(marks: Iterable[LastMark]) -> tuple[int, int]:
    basic = [mark.status.as_basic for mark in marks]
    return basic.count(Status.PRESENT), basic.count(Status.ABSENT)


def _live_id() -> str | None:
    """The id of the session that /ws means, where it means one."""
    focused = session_in_focus()
    return focused.session_id if focused is not None else None


class _SessionList(SizedList):
    """Counts the marks of the page's open sessions. The rows of the other sessions have their counts."""

    column = "students"
    class_id = "class_ref_id"

    def get_results(self, request: HttpRequest) -> None:
        super().get_results(request)
        shown: Sequence[Any] = self.result_list
        is_open = [session for session in shown if session.state == SessionState.OPEN]
        marks = last_marks_by_session([session.pk for session in is_open])
        live = _live_id() if is_open else None
        for session in is_open:
            session.present_count, session.absent_count = _counts(marks[session.pk].values())
            session.is_live = session.pk == live


class ShowsClass:
    """Mixin for a list whose rows are each of a class. A long name has several lines, which a foreign key never has."""

    @admin.display(description="class", ordering="class_ref__name_folded")
    def class_name(self, row: Any) -> str:
        return str(row.class_ref)


@admin.register(Session)
class SessionAdmin(ShowsClass, KnownRows, ReadOnly, _SessionAdmin):
    """Sessions. Services begin and end them; the action of this page calls the service that ends a session."""

    list_display = (
        "class_name",
        "standing",
        "present_count",
        "absent_count",
        "students",
        "started_at",
        "teacher",
        "ended_at",
        "last_seq",
    )
    list_select_related = ("class_ref__teacher",)
    list_filter = ("state", "started_at")
    search_fields = (
        "class_ref__name_folded__contains",
        "class_ref__teacher__name_folded__contains",
        "class_ref__teacher__email",
    )
    search_help_text = "Class or teacher"
    ordering = ("-started_at", "id")
    actions = ("end_sessions",)
    fields = (
        "class_ref",
        "standing",
        "counts",
        "students",
        "lists",
        "teacher",
        "started_at",
        "started_by",
        "last_activity_at",
        "ended_at",
        "last_seq",
        "id",
        "roster",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Session]:
        return super().get_queryset(request).select_related("class_ref__teacher", "started_by")

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return _SessionList

    def has_end_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("attendance.change_session")

    @admin.display(description="state", ordering="state")
    def standing(self, session: Any) -> str:
        """The state. Where one session is live at a time, an open one may be set aside for another teacher's."""
        if session.state != SessionState.OPEN:
            return str(session.get_state_display())
        is_live = session.is_live if hasattr(session, "is_live") else session.pk == _live_id()
        return "Live" if is_live or settings.LIVE_SESSIONS != "single" else "Open, set aside"

    @admin.display(ordering="class_ref__teacher__name_folded")
    def teacher(self, session: Session) -> str:
        return str(session.class_ref.teacher)

    @admin.display(description="on the roster", ordering="students")
    def students(self, session: Any) -> int:
        if not hasattr(session, "students"):  # the page of one session
            session.students = roster_sizes([session.class_ref_id])[session.class_ref_id]
        return int(session.students)

    @admin.display(description="counts")
    def counts(self, session: Session) -> str:
        if session.state == SessionState.OPEN:
            present, absent = _counts(last_marks(session.pk).values())
            return f"{present} present, {absent} absent so far"
        if session.state == SessionState.VOIDED:
            return "none: it was voided"
        present, absent = session.present_count or 0, session.absent_count or 0
        return f"{present} present, {absent} absent, {present + absent} in total"

    @admin.display(description="more")
    def lists(self, session: Session) -> SafeString:
        """Links to the session's marks and records."""
        links = [
            (f"{reverse(f'admin:attendance_{model}_changelist')}?session__id__exact={session.pk}", label)
            for model, label in (("mark", "its marks"), ("attendance", "its records"))
        ]
        return format_html_join(", ", '<a href="{}">{}</a>', links)

    @admin.display(description="roster and records")
    def roster(self, session: Session) -> SafeString:
        """Each student who is enrolled or has a mark or a record, with the status."""
        enrolled = Enrolment.objects.current().filter(class_ref_id=session.class_ref_id)
        marked: QuerySet[Mark] | QuerySet[Attendance] = session.records.all()
        if session.state == SessionState.OPEN:
            marked = session.marks.order_by("seq")  # the last mark of a student counts
        columns = ("student_id", "student__name", "student__email")
        people: dict[str, tuple[str, str]] = {}
        for student_id, name, email in (*enrolled.values_list(*columns), *marked.values_list(*columns)):
            people[student_id] = name, email
        statuses = {
            student_id: Status(status).label if status else "–"
            for student_id, status in marked.values_list("student_id", "status")
        }
        ordered = sorted(people, key=lambda student_id: by_name(people[student_id][0], student_id))
        lines = [(*people[student_id], statuses.get(student_id, "–")) for student_id in ordered]
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td></tr>", lines[:MOST_ROWS])
        left = len(lines) - MOST_ROWS
        return format_html(
            "<table><thead><tr><th>Name</th><th>Email</th><th>Status</th></tr></thead><tbody>{}</tbody></table>{}",
            body,
            f"… and {left} more" if left > 0 else "",
        )

    @admin.action(description="End the selected sessions as DONE would", permissions=["end"])
    def end_sessions(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        ended = 0
        for session in queryset:
            try:
                services.session_end(session_id=session.pk)
                ended += 1
            except errors.NoActiveSession:
                self.message_user(request, f"{session} was over already.", messages.WARNING)
        if ended:
            self.message_user(request, f"Sessions ended: {ended}.", messages.SUCCESS)


class ShowsStudent:
    """Mixin for a list whose rows are each about a student: first the name, so that what matters comes soon."""

    @admin.display(description="student", ordering="student__name_folded")
    def name(self, row: Any) -> str:
        return str(row.student.name)

    @admin.display(description="e-mail", ordering="student__email")
    def email(self, row: Any) -> str:
        return str(row.student.email)


class FoundByNames:
    """Mixin for lists that only grow: a search looks for students and classes first, then for their rows by an index.

    It also takes a session's id. `search_fields` would compare that as text, which no ObjectId is.
    """

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        session_id = parse_id(search_term.strip())
        if session_id is not None:
            return queryset.filter(session_id=session_id), False
        rest = []
        for word in smart_split(search_term[:LONGEST_SEARCH]):
            # A quotation mark that nothing closes is part of the word.
            is_quoted = len(word) > 1 and word[0] in "\"'" and word[0] == word[-1]
            named = self._named(unescape_string_literal(word) if is_quoted else word)
            if named is None:
                rest.append(word)
            else:
                queryset = queryset.filter(named)
        return super().get_search_results(request, queryset, " ".join(rest))  # type: ignore[misc]

    def _named(self, word: str) -> Q | None:
        """The rows of students and classes with the word; None where too many have it to name them one by one."""
        people = User.objects.filter(
            Q(name_folded__contains=word) | Q(email__icontains=word) | Q(roll_number__icontains=word)
        )
        students = list(people.order_by().values_list("id", flat=True)[: MOST_NAMED + 1])
        classes = Class.objects.filter(name_folded__contains=word).order_by().values_list("id", flat=True)
        of_classes = Session.objects.filter(class_ref_id__in=list(classes)).order_by()
        sessions = list(of_classes.values_list("id", flat=True)[: MOST_NAMED + 1])
        if max(len(students), len(sessions)) > MOST_NAMED:
            return None
        return Q(student_id__in=students) | Q(session_id__in=sessions)


@admin.register(Mark)
class MarkAdmin(ShowsStudent, FoundByNames, ReadOnly, _MarkAdmin):
    """The journal."""

    list_display = ("name", "status", "at", "session", "seq", "by", "method", "note", "email")
    list_select_related = ("session__class_ref", "student", "by")
    list_filter = ("status", "method", "at")
    search_fields = (
        "session__class_ref__name_folded__contains",
        "student__name_folded__contains",
        "student__email",
        "student__roll_number",
    )
    search_help_text = "Student, class or a session's id"
    ordering = ("-id",)
    show_full_result_count = False  # the journal only grows, and to count it would take longer and longer


@admin.register(Attendance)
class RecordAdmin(ShowsStudent, ShowsClass, FoundByNames, WritablePage, _RecordAdmin):
    """Records. A correction writes a mark that says who made the correction."""

    list_display = ("name", "status", "class_name", "started_at", "method", "email")
    list_select_related = ("student", "class_ref", "session__class_ref")
    list_filter = ("status", "method", "session__started_at")
    search_fields = (
        "class_ref__name_folded__contains",
        "student__name_folded__contains",
        "student__email",
        "student__roll_number",
    )
    search_help_text = "Student, class or a session's id"
    ordering = ("-id",)
    fields = ("id", "student", "class_ref", "session", "status", "method")
    readonly_fields = ("id", "student", "class_ref", "session", "method")
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Attendance]:
        return super().get_queryset(request).select_related(*self.list_select_related)

    @admin.display(description="session", ordering=F("session__started_at"))
    def started_at(self, record: Attendance) -> Any:
        return record.session.started_at

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Attendance | None = None) -> bool:
        return False

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **options)
        except (errors.NoActiveSession, errors.JournalFull) as refusal:
            self.message_user(request, refusal.message, messages.ERROR)
            return HttpResponseRedirect(request.path)

    def who_changed(self, changed: Any, label: str, since: datetime) -> Change | None:
        marks = Mark.objects.filter(session_id=changed.session_id, student_id=changed.student_id, at__gte=since)
        last = marks.select_related("by").order_by("-seq").first()
        return Change(last.by.name, last.at) if last is not None else None

    def save_model(self, request: HttpRequest, obj: Attendance, form: Any, change: bool) -> None:
        if "status" not in form.changed_data:
            return
        services.record_correct(by_id=str(request.user.pk), record_id=obj.pk, status=Status(obj.status), note="admin")
