"""The shapes of AttenTrack's answers: types, which the OpenAPI document shows, and functions that fill them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NotRequired, TypedDict

from classes.selectors import classes_of_student, classes_of_teacher, roster_sizes
from dialects.attentrack.times import DayAndTime

NOT_SET = "Not Set"


class Message(TypedDict):
    message: str


class OtpToken(TypedDict):
    otpToken: str
    #: The code itself, with ATTENTRACK_OPEN and DEBUG only.
    tempOtp: NotRequired[int]


class Course(TypedDict):
    _id: str


class Student(TypedDict):
    id: str
    email: str
    fullName: str
    rollNumber: str
    batch: str
    coursesId: list[Course]
    branch: str
    semester: str
    phone: str
    enroll: str


class StudentRegistered(Student):
    token: str


class StudentKnown(Student):
    """`auth` says whether the person has confirmed their mailbox."""

    auth: bool


class StudentSignedIn(StudentKnown):
    token: str


class Teacher(TypedDict):
    id: str
    email: str
    fullName: str
    department: str
    coursesId: list[Course]
    eduQualification: str
    telephone: str
    interest: str


class TeacherKnown(Teacher):
    """`auth` says whether the person has confirmed their mailbox."""

    auth: bool


class TeacherSignedIn(TeacherKnown):
    token: str


class ClassDetails(TypedDict):
    class_id: str
    classname: str
    batch: str
    semester: str
    department: str


class ClassMade(ClassDetails):
    _id: str
    teacherid: str


class Listed(TypedDict):
    name: str
    rollNumber: str
    email: str


def listed_all(students: Sequence[Mapping[str, Any]]) -> list[Listed]:
    """A class's students as its sheet lists them."""
    return [
        Listed(name=student["name"], rollNumber=student["roll_number"] or NOT_SET, email=student["email"])
        for student in students
    ]


class ClassWithStudents(ClassDetails):
    students: list[Listed]


class CountedClass(ClassDetails):
    student_count: int


class StudentClasses(TypedDict):
    student_id: str
    fullName: str
    rollNumber: str
    email: str
    classes: list[CountedClass]


class TeacherClasses(TypedDict):
    teacher_id: str
    teacher_email: str
    teacher_name: str
    department: str
    classes: list[CountedClass]


class CurrentAttendance(TypedDict):
    """The code and the countdown are as the teacher's app sent them."""

    currentOTP: str | float | None
    finalTime: str | float
    currentId: str | None


class OwnRecord(DayAndTime):
    status: bool


class OwnRecords(TypedDict):
    totalClasses: int
    presentClasses: int
    attendanceMap: list[OwnRecord]
    not_allowed: bool


class Attended(TypedDict):
    total_days: int
    attended: int


class ReportRow(TypedDict):
    totalDays: int
    presentCount: int
    name: str
    email: str


class Report(TypedDict):
    """`report` is by roll number."""

    class_id: str
    totalDays: int
    report: dict[str, ReportRow]


class RecordCounts(DayAndTime):
    id: str
    presentCount: int
    absentCount: int


class Record(TypedDict):
    """`records` is by roll number."""

    _id: str
    id: str
    class_id: str
    date: str
    records: dict[str, bool]


class RecordMade(TypedDict):
    message: str
    attendance: Record


def student(user: Any) -> Student:
    profile = getattr(user, "student_profile", None)
    return {
        "id": user.id,
        "email": user.email,
        "fullName": user.name,
        "rollNumber": user.roll_number or NOT_SET,
        "batch": _set(profile, "batch"),
        "coursesId": [{"_id": found.id} for found in classes_of_student(user.id)],
        "branch": _set(profile, "branch"),
        "semester": _set(profile, "semester"),
        "phone": _set(profile, "phone"),
        "enroll": _set(profile, "enroll"),
    }


def teacher(user: Any) -> Teacher:
    profile = getattr(user, "teacher_profile", None)
    return {
        "id": user.id,
        "email": user.email,
        "fullName": user.name,
        "department": _set(profile, "department"),
        "coursesId": [{"_id": found.id} for found in classes_of_teacher(user.id)],
        "eduQualification": _set(profile, "education"),
        "telephone": _set(profile, "telephone"),
        "interest": _set(profile, "interest"),
    }


def student_classes(user: Any) -> StudentClasses:
    return {
        "student_id": user.id,
        "fullName": user.name,
        "rollNumber": user.roll_number or NOT_SET,
        "email": user.email,
        "classes": _classes(classes_of_student(user.id)),
    }


def teacher_classes(user: Any) -> TeacherClasses:
    return {
        "teacher_id": user.id,
        "teacher_email": user.email,
        "teacher_name": user.name,
        "department": _set(getattr(user, "teacher_profile", None), "department"),
        "classes": _classes(classes_of_teacher(user.id)),
    }


def class_details(found: Any) -> ClassDetails:
    return {
        "class_id": found.id,
        "classname": found.name,
        "batch": found.batch or NOT_SET,
        "semester": found.semester or NOT_SET,
        "department": found.department or NOT_SET,
    }


def statuses(by_student: Mapping[str, Any], roll_numbers: Iterable[tuple[str, str]]) -> dict[str, bool]:
    """`{<roll>: bool}`, in the order of the roll numbers."""
    return {
        roll_number: by_student[student_id].as_basic == "present"
        for roll_number, student_id in sorted(roll_numbers)
        if student_id in by_student
    }


def _classes(found: Sequence[Any]) -> list[CountedClass]:
    sizes = roster_sizes([one.id for one in found])
    return [{**class_details(one), "student_count": sizes[one.id]} for one in found]


def _set(profile: Any, name: str) -> str:
    return getattr(profile, name, "") or NOT_SET
