"""The routes of a class's records: reports for students and for teachers, and `/api/attendance/*`."""

from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import account_find, actor_of, is_verified, students_by_roll_number
from attendance import reports, selectors, services
from attendance.class_report import class_report
from attendance.enums import Status
from classes.privacy import emails_hidden_from
from classes.selectors import class_get_for_owner, class_get_for_student, classes_of_student, student_ids
from core import errors
from core.identity import Role
from core.rest.permissions import Audience
from core.roll_numbers import by_roll_number
from core.times import to_iso
from dialects.attentrack import serializers, shapes
from dialects.attentrack.base import AttenTrackView, read_query
from dialects.attentrack.times import day_and_time

#: The number of records up to which a teacher, or a student, may go on without a confirmed mailbox.
UNVERIFIED_RECORDS = 10
RECORD_ID = {"id": "The record's id"}


def _is_present(status: Status) -> bool:
    return status.as_basic is Status.PRESENT


class _StudentView(AttenTrackView):
    audience = Audience.STUDENT

    def student(self, roll_number: str) -> Any:
        """The student of this roll number. Raises `StudentNotFound`, and `Forbidden` if somebody else asks."""
        found = account_find(role=Role.STUDENT, roll_number=roll_number)
        if found is None:
            raise errors.StudentNotFound
        self.only(found.id)
        return found


class OwnAttendance(_StudentView):
    """`POST /api/student/attendance`: answers a student's records in a class. It marks nobody, against its name."""

    failures: ClassVar = {"not_enrolled": 400}
    body = serializers.OwnAttendanceInput
    answers: ClassVar = {200: shapes.OwnRecords}
    raises = (errors.StudentNotFound, errors.ClassNotFound, errors.NotEnrolled)

    def post(self, request: Request) -> Response:
        body = self.read()
        student = self.student(body["roll_number"])
        class_id = class_get_for_student(actor=actor_of(student), class_id=body["class_id"]).id
        records = selectors.records_of_student(student_id=student.id, class_id=class_id)
        return Response(
            shapes.OwnRecords(
                totalClasses=len(records),
                presentClasses=sum(_is_present(status) for _, status in records),
                attendanceMap=[
                    shapes.OwnRecord(**day_and_time(held), status=_is_present(status)) for held, status in records
                ],
                # The app reads the field as a permission, against its name.
                not_allowed=not student.awaits_proof or len(records) < UNVERIFIED_RECORDS,
            )
        )


class OwnAttendances(_StudentView):
    """`GET /api/student/attendance/:rollNumber`: answers how often a student was there, by class."""

    answers: ClassVar = {200: dict[str, shapes.Attended]}
    raises = (errors.StudentNotFound,)

    def get(self, request: Request, roll_number: str) -> Response:
        student = self.student(roll_number)
        class_ids = [found.id for found in classes_of_student(student.id)]
        found = selectors.statuses_by_class(student_id=student.id, class_ids=class_ids)
        return Response(
            {
                class_id: shapes.Attended(total_days=len(statuses), attended=sum(map(_is_present, statuses)))
                for class_id, statuses in found.items()
            }
        )


class Records(AttenTrackView):
    """`POST /api/teacher/records`: answers how often each student was there from `startDate` to `endDate`."""

    audience = Audience.TEACHER
    body = serializers.RangeInput
    answers: ClassVar = {200: shapes.Report}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def post(self, request: Request) -> Response:
        body = self.read()
        found = class_get_for_owner(actor=self.teacher_of(body["class_id"]), class_id=body["class_id"])
        matrix = class_report(class_id=found.id, since=body["since"], until=body["until"], enrolled_only=False)
        hidden = emails_hidden_from(self.reader)
        report = {
            # A student who joined by another protocol may have no roll number, and has a row all the same.
            row.roll_number or (row.name if hidden else row.email): shapes.ReportRow(
                totalDays=row.tally.attended + row.tally.absent + row.tally.excused,
                presentCount=row.tally.attended,
                name=row.name,
                email="" if hidden else row.email,
            )
            for row in matrix.students
        }
        return Response(shapes.Report(class_id=found.id, totalDays=len(matrix.lessons), report=report))


class OverallRecords(AttenTrackView):
    """`POST /api/teacher/overall-records`: answers the counts of each record from `startDate` to `endDate`."""

    audience = Audience.TEACHER
    body = serializers.RangeInput
    answers: ClassVar = {200: list[shapes.RecordCounts]}
    raises = (errors.ClassNotFound, errors.NotClassTeacher)

    def post(self, request: Request) -> Response:
        body = self.read()
        found = class_get_for_owner(actor=self.teacher_of(body["class_id"]), class_id=body["class_id"])
        held = reports.sessions_held(found.id, since=body["since"], until=body["until"])
        return Response(
            [
                shapes.RecordCounts(
                    **day_and_time(session.held_at),
                    id=session.id,
                    presentCount=session.present,
                    absentCount=session.absent,
                )
                for session in held
            ]
        )


class CreateAttendance(AttenTrackView):
    """`POST /api/attendance/createAttendance`: takes a whole record, which ends the class's live session."""

    audience = Audience.TEACHER
    failures: ClassVar = {"not_verified": 406}
    body = serializers.RecordInput
    answers: ClassVar = {201: shapes.RecordMade, 200: shapes.RecordMade}
    raises = (
        errors.ClassNotFound,
        errors.NotClassTeacher,
        errors.InTheFuture,
        errors.NotVerified,
        errors.NoActiveSession,
        errors.JournalFull,
        errors.TooManyRequests,
    )

    def post(self, request: Request) -> Response:
        body = self.read()
        teacher = self.teacher_of(body["class_id"])
        class_id = class_get_for_owner(actor=teacher, class_id=body["class_id"]).id
        roll_numbers = students_by_roll_number(student_ids(class_id))
        find = by_roll_number(roll_numbers)
        session, is_new = services.session_record(
            actor=teacher,
            class_id=class_id,
            instant=body["instant"],
            statuses={
                student_id: Status.PRESENT if present else Status.ABSENT
                for roll_number, present in body["records"].items()
                if (student_id := find(roll_number.strip())) is not None
            },
            limit=None if is_verified(teacher.id) else UNVERIFIED_RECORDS,
        )
        attendance = shapes.Record(
            _id=session.id,
            id=session.id,
            class_id=class_id,
            date=to_iso(body["instant"]),
            records=shapes.statuses(selectors.statuses_of_session(session.id), roll_numbers.items()),
        )
        message = "Attendance created" if is_new else "Attendance updated"
        return Response(shapes.RecordMade(message=message, attendance=attendance), status=201 if is_new else 200)


class SpecificRecord(AttenTrackView):
    """`GET /api/attendance/specific-record?id=`: answers a record, by roll number."""

    audience = Audience.TEACHER
    query = RECORD_ID
    answers: ClassVar = {200: dict[str, bool]}
    raises = (errors.RecordNotFound, errors.NotClassTeacher)

    def get(self, request: Request) -> Response:
        record_id = read_query(request, "id")
        session = selectors.session_get_for_owner(actor=self.teacher_of_record(record_id), session_id=record_id)
        found = selectors.statuses_of_session(session.id)
        return Response(shapes.statuses(found, students_by_roll_number(list(found)).items()))


class ChangeRecord(AttenTrackView):
    """`PATCH /api/attendance/change-specific-record`: makes present students absent and absent ones present."""

    audience = Audience.TEACHER
    body = serializers.FlipInput
    answers: ClassVar = {200: shapes.Message}
    raises = (errors.RecordNotFound, errors.NotClassTeacher, errors.StudentNotFound, errors.JournalFull)

    def patch(self, request: Request) -> Response:
        body = self.read()
        record_id = body["attendance_id"]
        teacher = self.teacher_of_record(record_id)
        session = selectors.session_get_for_owner(actor=teacher, session_id=record_id)
        find = by_roll_number(students_by_roll_number(list(selectors.statuses_of_session(session.id))))
        students = dict.fromkeys(map(find, body["datas"]))
        if None in students:
            raise errors.StudentNotFound
        services.session_flip(actor=teacher, session_id=session.id, student_ids=[key for key in students if key])
        return Response(shapes.Message(message="Attendance updated"))


class DeleteRecord(AttenTrackView):
    """`DELETE /api/attendance/delete-record?id=`: deletes a record; the marks stay in the journal."""

    audience = Audience.TEACHER
    query = RECORD_ID
    answers: ClassVar = {204: None}
    raises = (errors.RecordNotFound, errors.NotClassTeacher)

    def delete(self, request: Request) -> Response:
        record_id = read_query(request, "id")
        services.session_void(actor=self.teacher_of_record(record_id), session_id=record_id)
        return Response(status=204)
