"""attendance.marks_file: what a file of marks says, before the database."""

from datetime import UTC, date, datetime, time

import pytest

from attendance.enums import Status
from attendance.marks_file import MarkLine, lines_of, moment_of, read_marks
from classes.previews import SentFile


def lines(text: str) -> list[MarkLine]:
    return lines_of(read_marks(SentFile(text.encode(), "marks.csv")))


P, L, A, E = Status.PRESENT, Status.LATE, Status.ABSENT, Status.EXCUSED


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("Roll no,Status\n1,P\n2,l\n3,A\n4,e\n", [P, L, A, E]),
        ("Roll no,Attendance\n1,Present\n2,LATE\n3, absent \n4,Excused\n", [P, L, A, E]),
        ("Matrikelnummer;Anwesenheit\n1;anwesend\n2;zu spät\n3;fehlt\n4;entschuldigt\n", [P, L, A, E]),
        ("Matricule;Présence\n1;présente\n2;en retard\n3;Absent\n4;excusé\n", [P, L, A, E]),
        ("Matrícula;Asistencia\n1;Presente\n2;con retraso\n3;ausente\n4;justificada\n", [P, L, A, E]),
        ("रोल नंबर,उपस्थिति\n1,उपस्थित\n2,देर से\n3,अनुपस्थित\n4,छुट्टी\n", [P, L, A, E]),
        ("رقم الطالب,الحالة\n1,حاضر\n2,متأخر\n3,غائب\n4,معذور\n", [P, L, A, E]),
        ("Roll no,Status\n1,✓\n2,\n3,✗\n", [P, None, A]),
    ],
)
def test_statuses_are_words_of_six_languages_and_the_usual_letters(text: str, statuses: list[Status | None]) -> None:
    found = lines(text)
    assert [line.status for line in found] == statuses
    assert {line.problem for line in found} == {None}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("9:05", time(9, 5)),
        ("09.05", time(9, 5)),
        ("09:05:30", time(9, 5, 30)),
        ("12:05 a.m.", time(0, 5)),
        ("1:05 PM", time(13, 5)),
        ("9:05 Uhr", time(9, 5)),
        ("2025-03-11T09:05:00.000Z", datetime(2025, 3, 11, 9, 5, tzinfo=UTC)),
        ("2025-03-11 09:05", datetime(2025, 3, 11, 9, 5, tzinfo=UTC)),
        ("2025-03-11T09:05:00+02:00", datetime(2025, 3, 11, 7, 5, tzinfo=UTC)),
    ],
)
def test_times_are_clocks_of_the_school_or_moments(text: str, at: object) -> None:
    [line] = lines(f"Roll no,Status,Time\n1,P,{text}\n")
    assert (line.at, line.problem) == (at, None)
    assert moment_of(line.at, date(2025, 3, 11)) is not None


@pytest.mark.parametrize(
    "text", ["nine", "25:00", "13:05 pm", "0:05 am", "2025-03-11", "2025-02-30 09:05", "0001-01-01 09:05"]
)
def test_what_is_no_time_is_said(text: str) -> None:
    [line] = lines(f"Roll no,Status,Time\n1,P,{text}\n")
    assert "is no time" in str(line.problem)
