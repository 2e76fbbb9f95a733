"""What sessions, the journal and the records say of a person (`core.database.personal`).

The rows of the journal and the records stay: without them a class's records would not add up any more.
"""

from core.database.personal import DELETE, Personal

_LESSON = {
    "sessionId": "session_id",
    "className": "session__class_ref__name",
    "startedAt": "session__started_at",
}

TABLES = (
    Personal(
        "attendance.Session",
        whose=("started_by_id",),
        part="sessionsStarted",
        shown={"_id": "id", "className": "class_ref__name", "startedAt": "started_at", "endedAt": "ended_at"},
    ),
    Personal("attendance.SessionName", withheld={"name": "a client's name for a lesson, which is a class's"}),
    Personal(
        "attendance.Attendance",
        whose=("student_id",),
        part="records",
        shown={"_id": "id", **_LESSON, "status": "status", "method": "method"},
    ),
    Personal(
        "attendance.Mark",
        whose=("student_id",),
        part="marks",
        shown={
            **_LESSON,
            "seq": "seq",
            "status": "status",
            "at": "at",
            "by": "by_id",
            "method": "method",
            "note": "note",
        },
        erased={"note": ""},
        texts=("note",),
        moves="student_id",
    ),
    Personal(
        "attendance.Mark",
        whose=("by_id",),
        withheld={"by_id": "the marks that you made are about your students; the reports of your classes have them"},
    ),
    Personal(
        "attendance.CheckIn",
        whose=("session__started_by_id",),
        part="checkInPlaces",
        shown={**_LESSON, "latitude": "latitude", "longitude": "longitude"},
        erased={"latitude": None, "longitude": None, "range": None},
    ),
    Personal(
        "attendance.CheckInDevice",
        whose=("student_id",),
        part="devices",
        shown={**_LESSON, "device": "device"},
        erased=DELETE,
        moves="student_id",
    ),
    Personal(
        "attendance.UsedClaim",
        whose=("student_id",),
        part="scans",
        shown={"at": "used_at"},
        erased=DELETE,
        moves="student_id",
    ),
    Personal(
        "attendance.Flag",
        whose=("student_id",),
        part="flags",
        shown={**_LESSON, "kind": "kind", "metres": "metres", "state": "state", "at": "at"},
        withheld={"other_id": "another student"},
        erased={"metres": None},
        moves="student_id",
    ),
    Personal(
        "attendance.Flag",
        whose=("other_id",),
        part="flagsOfOthersWithYourDevice",
        shown={**_LESSON, "at": "at"},
        erased={"other_id": None},
        moves="other_id",
    ),
    Personal(
        "attendance.Flag",
        whose=("decided_by_id",),
        part="flagsDecided",
        shown={**_LESSON, "state": "state", "at": "at"},
    ),
    Personal(
        "attendance.Excuse",
        whose=("student_id",),
        part="excuses",
        shown={
            "_id": "id",
            "from": "since",
            "until": "until",
            "note": "note",
            "createdAt": "created_at",
            "withdrawnAt": "withdrawn_at",
        },
        erased={"note": ""},
        texts=("note",),
        moves="student_id",
    ),
    Personal(
        "attendance.ExcusedClass",
        whose=("excuse__student_id",),
        part="excusesByClass",
        shown={
            "excuseId": "excuse_id",
            "className": "class_ref__name",
            "state": "state",
            "decidedBy": "decided_by_id",
            "decidedAt": "decided_at",
        },
    ),
    Personal(
        "attendance.ExcusedClass",
        whose=("decided_by_id",),
        part="excusesDecided",
        shown={"className": "class_ref__name", "state": "state", "decidedAt": "decided_at"},
    ),
    Personal(
        "attendance.Merge",
        whose=("keep_id", "other_id"),
        part="merges",
        shown={"_id": "id", "keep": "keep_id", "other": "other_id", "at": "at"},
        withheld={"before": "what was moved, which the other parts show where it is now"},
        erased=DELETE,
    ),
    Personal("attendance.Merge", whose=("by_id",), part="mergesMade", shown={"_id": "id", "at": "at"}),
)
