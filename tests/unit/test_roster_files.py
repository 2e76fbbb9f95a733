"""classes.rosters before the database: a file becomes a table, and a table becomes checked entries."""

import io
import zipfile
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from openpyxl.styles import numbers

from classes.rosters import archives, tables
from classes.rosters.cells import is_ruined
from classes.rosters.entries import Entry, entries_of, entry_of
from classes.rosters.errors import RosterError
from classes.rosters.headings import columns_of
from classes.rosters.sources import read_file, read_path
from classes.rosters.tables import Table, named_columns
from core import errors


def read(content: str | bytes, name: str = "students.csv", **options: Any) -> Table:
    return read_file(content.encode() if isinstance(content, str) else content, name=name, **options)


def people(table: Table) -> list[tuple[str, str, str | None]]:
    return [(entry.name, entry.email, entry.roll_number) for entry in entries_of(table) if entry.left_out is None]


def refusal(content: str | bytes, name: str = "students.csv", **options: Any) -> str:
    with pytest.raises(RosterError) as failure:
        read(content, name, **options)
    return str(failure.value)


# Headings


@pytest.mark.parametrize(
    "headings",
    [
        "name,email,rollNumber",
        "STUDNAME,EMAIL,ROLLNO",
        "Student Name,E-mail Address,Roll No.",
        "Full name,Email ID,Roll #",
        "Student,Mail,Enrollment No",
        "Name of the student,Student e-mail,Matriculation no.",
        "Name,Email,Regd. No",
        "Name,University email,CS Roll No (new)",
        "Name,E-Mail-Adresse,Matrikelnummer",
        "Name des Schülers,E-Mail,Matr.-Nr.",
        "Nom complet,Courriel,N° étudiant",
        "Nom et prénom,Adresse e-mail,Matricule",
        "Nombre completo,Correo electrónico,Matrícula",
        "Alumno,Correo,Número de matrícula",
        "Nome completo,Endereço de e-mail,Nº de matrícula",
        "Aluno(a),E-mail,RA",
        "Nominativo,Indirizzo e-mail,Matricola",
        "Studente,Posta elettronica,N. matricola",
        "नाम,ईमेल,अनुक्रमांक",
        "छात्र का नाम,ई-मेल पता,रोल नंबर",
        "الاسم,البريد الإلكتروني,الرقم الجامعي",
        "اسم الطالب,الإيميل,رقم الطالب",
    ],
)
def test_headings_are_known_in_eight_languages(headings: str) -> None:
    assert columns_of(headings.split(",")) == {"name": 0, "email": 1, "roll_number": 2}


@pytest.mark.parametrize(
    "headings",
    [
        "First name,Last name",
        "Given names,Surname",
        "Vorname,Nachname",
        "Vorname,Name",
        "Prénom,Nom",
        "Prénoms,Nom de famille",
        "Nombre,Apellidos",
        "Nome,Sobrenome",
        "Nome,Cognome",
        "पहला नाम,उपनाम",
        "الاسم الأول,اسم العائلة",
    ],
)
def test_first_and_last_names_apart_are_one_name(headings: str) -> None:
    table = read(f"{headings},email\nAsha,Rao,asha@example.com\n")
    assert people(table) == [("Asha Rao", "asha@example.com", None)]


@pytest.mark.parametrize("heading", ["rollNumber", "ROLLNO", "Roll No", "roll_number", "roll-no", " Roll\nNumber "])
def test_a_heading_is_known_in_any_letter_case_and_with_any_marks_between(heading: str) -> None:
    assert columns_of(["house", heading]) == {"roll_number": 1}


@pytest.mark.parametrize("heading", ["house", "Parent email", "E-Mail der Eltern", "S.No", "Class", "Telefon", ""])
def test_another_heading_is_no_column(heading: str) -> None:
    assert columns_of([heading]) == {}


def test_of_two_headings_for_one_column_the_better_is_taken_and_equals_are_refused() -> None:
    assert columns_of(["Student ID", "Roll No"]) == {"roll_number": 1}
    with pytest.raises(
        RosterError, match=r"Two columns may be the e-mail: “E-Mail” and “email”\. Leave one of them out"
    ):
        columns_of(["E-Mail", "name", "email"])


def test_last_first_is_turned_where_every_name_is_so() -> None:
    assert people(read('name,email\n"Rao, Asha",a@example.com\n"Ortiz, Ben",b@example.com\n'))[0][0] == "Asha Rao"
    assert people(read('name,email\n"Ortiz, Jr.",a@example.com\nAsha Rao,b@example.com\n'))[0][0] == "Ortiz, Jr."


# Lines above the headings, encodings and separators


@pytest.mark.parametrize("above", ["", "sep=,\n", "\n\n", ",,\n", "-----\n", "=== ,***\n", '"sep=,"\n\n ---- \n'])
def test_what_says_nothing_above_the_headings_is_passed_over(above: str) -> None:
    table = read(f"{above}name,email\nAsha,asha@example.com\n")
    assert people(table) == [("Asha", "asha@example.com", None)]
    assert table.rows[0][0] == above.count("\n") + 2


def test_a_title_is_refused_with_its_line() -> None:
    shown = refusal("\nClass 7B;;2026\nname;email\nAsha;asha@example.com\n")
    assert "Line 2 stands above the headings: “Class 7B |  | 2026”. Delete the lines above" in shown


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "windows-1252", "iso-8859-15"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_is_read_in_every_encoding_with_every_separator(separator: str, encoding: str, end: str) -> None:
    rows = [["Name", "Email"], ["Zoë Peña", "zoe@example.com"], ['Anna "Annie" Lee', "anna@example.com"]]
    text = "".join(separator.join(row) + end for row in rows) + "\x1a"
    hinted = {"encoding": encoding} if encoding[0] in "wi" else {}
    table = read(text.encode(encoding), **hinted)
    assert [name for name, _, _ in people(table)] == ["Zoë Peña", 'Anna "Annie" Lee']


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_known_in_other_alphabets(encoding: str) -> None:
    text = "नाम;ईमेल;कक्षा का पूरा नाम और विभाग\n" + "आशा राव;asha@example.com;भौतिक विज्ञान विभाग कक्षा सात\n"
    assert people(read(text.encode(encoding))) == [("आशा राव", "asha@example.com", None)]


def test_a_nickname_or_a_column_of_addresses_makes_no_separator() -> None:
    assert people(read('name,email\n"Ann ""Annie"" Lee",ann@example.com\n')) == [
        ('Ann "Annie" Lee', "ann@example.com", None)
    ]
    assert people(read("email;name\nbox@example.com;Max\nfox@example.com;Rex\n"))[0] == ("Max", "box@example.com", None)


def test_an_encoding_that_does_not_exist_is_an_error() -> None:
    for encoding in ("klingon", "rot13", "base64"):
        assert f"There is no encoding '{encoding}'." in refusal("name,email\nA,a@example.com\n", encoding=encoding)


def test_entries_are_trimmed_and_a_short_row_lacks_its_last_cells() -> None:
    table = read("name,email,rollno\n Asha , a@example.com \nBen\n")
    assert entries_of(table) == [
        Entry(2, "Asha", "a@example.com"),
        Entry(
            3,
            "Ben",
            "",
            problem="it has 1 of 3 cells, so the e-mail is missing: fill it in. It was read as “Ben”",
        ),
    ]


def test_a_row_with_more_text_than_headings_is_a_problem_and_empty_cells_beyond_them_are_none() -> None:
    fits, overflows = entries_of(read("name,email\nA,a@example.com, \nBen,b@example.com,Jr.\n"))
    assert fits.problem is None
    assert overflows.problem is not None
    assert overflows.problem.startswith("it has 3 cells, more cells than there are headings (2)")
    assert overflows.problem.endswith("It was read as “Ben | b@example.com | Jr.”")


def test_an_entry_needs_a_name_and_an_email_or_a_roll_number() -> None:
    assert entry_of(line=1, name="Asha", email="", roll_number="7").problem is None
    assert entry_of(line=1, name="Asha", email="").problem == "the e-mail is missing: fill it in"
    assert entry_of(line=1, name="", email="a@example.com").problem == "the name is missing: fill it in"


@pytest.mark.parametrize(
    "number",
    [
        "1.23457E+11",
        "1,23457E+11",
        "1E+05",
        "1.2e-07",
        "123456789012.0",
        "12,00",
        "####",
        "#N/A",
        "#NV",
        "#REF!",
        "#NAME?",
        "#DIV/0!",
        "#¡VALOR!",
    ],
)
def test_a_roll_number_that_a_spreadsheet_ruined_is_refused(number: str) -> None:
    assert is_ruined(number)


@pytest.mark.parametrize("number", ["0012", "1E5", "12E", "#12", "CS-101", "12.5", "2026/7", "É-1", "1.2.0"])
def test_another_roll_number_is_not_ruined(number: str) -> None:
    assert not is_ruined(number)


# Other systems

EXPORTS = {
    "teams, older": (
        "Meeting Summary\nTotal Number of Participants\t3\n\nFull Name\tJoin Time\tLeave Time\tDuration\tEmail\tRole\t"
        "Participant ID (UPN)\nTara\t9:00\t9:40\t40m\ttara@example.com\tOrganizer\ttara@example.com\n"
        "Asha Rao\t9:00\t9:10\t10m\t\tAttendee\tasha@example.com\n"
        "Asha Rao\t9:20\t9:40\t20m\t\tAttendee\tasha@example.com\n"
        "Caller\t9:00\t9:01\t1m\t\tAttendee\t\n",
        "a Microsoft Teams attendance report",
    ),
    "teams, German": (
        "1. Zusammenfassung\nBesprechungstitel\tPhysik\n\n2. Teilnehmer\n"
        "Name\tErster Beitritt\tE-Mail\tTeilnehmer-ID (UPN)\tRolle\nTara\t9:00\ttara@example.com\t\tOrganisator\n"
        "Asha Rao\t9:00\tasha@example.com\t\tTeilnehmer\n\n3. Aktivitäten\nName\tBeitritt\nTara\t9:00\n",
        "a Microsoft Teams attendance report",
    ),
    "zoom, without lines on top": (
        "Name (original name),User Email,Join time\nAsha Rao,asha@example.com,9:00\n",
        "a Zoom participants report",
    ),
    "zoom, newer": (
        "Topic,ID\nPhysics,1\n\nName (original name),Email,Total duration (minutes),Guest\n"
        "Asha Rao,asha@example.com,40,No\nVisitor,v@elsewhere.example,40,Yes\n",
        "a Zoom participants report",
    ),
    "google meet": (
        "First name,Last name,Email,Duration,Time joined,Time exited\nAsha,Rao,asha@example.com,1 hr,9:00,10:00\n",
        "a Google Meet attendance report",
    ),
    "google classroom": (
        "Last Name,First Name,Email Address,Essay\nDate,,,2026-11-02\nPoints,,,100\nClass Average,,,88\n"
        "Rao,Asha,asha@example.com,90\n",
        "a Google Classroom export",
    ),
    "moodle": (
        "First name,Surname,ID number,Email address,Roles\nAsha,Rao,,asha@example.com,Student\n"
        "Tara,Quist,T1,tara@example.com,Teacher\n",
        "a Moodle list of participants",
    ),
    "canvas": (
        "Student,ID,SIS Login ID,Section,Essay (1)\n,,,,Manual Posting\n    Points Possible,,,,10\n,,,,\n"
        '"Rao, Asha",1,asha@example.com,7B,9\n"Student, Test",2,6f1ed002ab55,7B,\n',
        "a Canvas gradebook",
    ),
    "oneroster, users of 1.1": (
        "sourcedId,status,enabledUser,role,username,givenName,familyName,identifier,email\n"
        "u1,active,true,student,asha@example.com,Asha,Rao,,\nu2,active,true,aide,x,Tara,Quist,,t@example.com\n",
        "OneRoster users",
    ),
    "our own report": (
        '"Roll number","Name","Email","2026-11-02 09:00","Present","Late","Absent","Excused","Attended","Lessons",'
        '"Percent"\n'
        '"","Asha Rao","asha@example.com","present",1,0,0,0,1,1,100\n"","All students","",100,1,0,0,0,1,1,100\n'
        '"Present and late count as attended."\n',
        "an attendance export of this server",
    ),
    "our own": (
        '"Roll number","Name","Email","2026-11-02 09:00","Present","Absent","Total","Rate %"\n'
        '"","Asha Rao","asha@example.com","present",1,0,1,100.0\n"","Total present","",1,1,0,1,100.0\n',
        "an attendance export of this server",
    ),
}


@pytest.mark.parametrize("name", EXPORTS)
def test_what_another_system_exports_is_known_by_its_headings(name: str) -> None:
    content, taken_for = EXPORTS[name]
    table = read(content)
    assert table.taken_for.startswith(taken_for)
    assert people(table) == [("Asha Rao", "asha@example.com", None)]


def test_a_list_with_a_role_or_an_id_is_still_a_list() -> None:
    for heading in ("role", "id", "section", "username", "groups"):
        assert read(f"name,email,{heading}\nAsha,asha@example.com,x\n").format.name == "a list of students"


def test_a_blackboard_download_is_utf_16_under_the_name_of_a_workbook() -> None:
    text = '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\n"Rao"\t"Asha"\t"arao"\t"S11"\t"Yes"\n'
    text += '"Preview"\t"User"\t"tara_previewuser"\t""\t"Yes"\n'
    table = read(text.encode("utf-16"), "gc_7B.xls")
    assert table.taken_for == "a Blackboard download (TSV, UTF-16, tabs)"
    assert people(table) == [("Asha Rao", "", "S11")]


def test_users_of_oneroster_1_2_without_their_roles_are_refused() -> None:
    users = (
        "sourcedId,status,enabledUser,username,givenName,familyName,email\nu1,active,true,x,Asha,Rao,asha@example.com\n"
    )
    assert "in OneRoster 1.2 roles.csv has them. Import the whole zip." in refusal(users, "users.csv")


def zipped(**files: str | bytes) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/").replace("_csv", ".csv"), content)
    return made.getvalue()


def test_the_roles_of_oneroster_1_2_are_a_file_of_their_own() -> None:
    users = "sourcedId,status,enabledUser,username,givenName,familyName,identifier,email\n" + "".join(
        f"u{n},active,{enabled},,{name},Rao,{n},{name.lower()}@example.com\n"
        for n, (name, enabled) in enumerate([("Asha", "true"), ("Tara", "true"), ("Old", "false"), ("Nobody", "true")])
    )
    roles = (
        "sourcedId,userSourcedId,roleType,role,status\nr0,u0,primary,student,active\nr1,u1,secondary,student,active\n"
        "r2,u1,primary,teacher,active\nr3,u2,primary,student,active\nr4,u3,primary,student,tobedeleted\n"
    )
    table = read(zipped(oneroster__users_csv=users, oneroster__roles_csv=roles, manifest_csv="x"), "roster.zip")
    assert table.taken_for == "OneRoster users (zip, oneroster/users.csv and oneroster/roles.csv)"
    assert table.other_parts == ["manifest.csv"]
    entries = {entry.name: (entry.left_out, entry.leaves) for entry in entries_of(table)}
    assert entries == {
        "Asha Rao": (None, False),
        "Tara Rao": ("the role is teacher", False),
        "Old Rao": (None, True),
        "Nobody Rao": ("it has no role", False),
    }


# Workbooks


def xlsx(*rows: list[Any], title: str = "Sheet", **formats: str) -> bytes:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.title = title
    for row in rows:
        sheet.append(row)
    for cell, number_format in formats.items():
        sheet[cell].number_format = number_format
    made = io.BytesIO()
    book.save(made)
    return made.getvalue()


HEADINGS = ["Roll No.", "Name", "E-mail", "Grade"]


def test_a_workbooks_numbers_are_what_was_typed_and_rows_keep_their_numbers() -> None:
    content = xlsx(
        [], [None, None], HEADINGS,
        [190270107001, "Asha", "asha@example.com", 4.5],
        [12, "Ben", "ben@example.com", True],
        ["0012", "Cleo_x000D_", "cleo@example.com"],
        [1234567890123456789, "Dan", "dan@example.com"],
        ["=NA()", "Eve", "eve@example.com"],
        A5="0000",
    )  # fmt: skip
    table = read(content, "list.csv")
    assert table.taken_for == "a list of students (workbook, .xlsx, sheet “Sheet”)"
    entries = entries_of(table)
    assert [entry.line for entry in entries] == [4, 5, 6, 7, 8]
    assert [entry.roll_number for entry in entries[:3]] == ["190270107001", "0012", "0012"]
    assert entries[2].name == "Cleo"
    assert "a spreadsheet ruined it" in (entries[3].problem or "")


def test_an_error_in_a_workbook_is_no_empty_cell() -> None:
    book = openpyxl.Workbook()
    sheet: Any = book.active
    for row in (HEADINGS, ["#N/A", "Asha", "asha@example.com"]):
        sheet.append(row)
    sheet["A2"].data_type = "e"
    made = io.BytesIO()
    book.save(made)
    (entry,) = entries_of(read(made.getvalue()))
    assert (entry.problem or "").startswith("the roll number is #N/A")


def test_a_date_that_a_spreadsheet_made_of_a_roll_number_is_refused() -> None:
    table = read(
        xlsx(
            HEADINGS,
            [date(2026, 2, 1), "Asha", "asha@example.com"],
            A2=numbers.FORMAT_DATE_DDMMYY,
        )
    )
    (entry,) = entries_of(table)
    assert "a spreadsheet ruined it" in (entry.problem or "")


def test_of_several_sheets_the_one_with_the_headings_is_read_and_the_others_are_said() -> None:
    book = openpyxl.Workbook()
    book.active.append(["Notes"])  # type: ignore[union-attr]
    book.active.title = "Notes"  # type: ignore[union-attr]
    sheet = book.create_sheet("7B")
    sheet.append(["name", "email"])
    sheet.append(["Asha", "asha@example.com"])
    book.create_sheet("Hidden").sheet_state = "hidden"
    made = io.BytesIO()
    book.save(made)
    table = read(made.getvalue())
    assert table.taken_for.endswith("sheet “7B”)")
    assert table.other_parts == ["the sheet “Notes”"]


def ods(rows: str) -> bytes:
    content = (
        '<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"'
        ' xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"'
        ' xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"'
        ' xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">'
        f'<office:body><office:spreadsheet><table:table table:name="Liste">{rows}</table:table></office:spreadsheet>'
        "</office:body></office:document-content>"
    )
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return made.getvalue()


def ods_row(*cells: str) -> str:
    return f"<table:table-row>{''.join(cells)}</table:table-row>"


def ods_text(text: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{text}</text:p></table:table-cell>'


def ods_number(value: str, shown: str) -> str:
    kind = f'office:value-type="float" office:value="{value}"'
    return f"<table:table-cell {kind}><text:p>{shown}</text:p></table:table-cell>"


ODS_GAP = (
    '<table:table-row table:number-rows-repeated="{}"><table:table-cell table:number-columns-repeated="1024"/>'
    "</table:table-row>"
)
ODS_ERROR = (
    '<table:table-cell table:formula="of:=NA()" office:value-type="string" office:string-value=""'
    ' calcext:value-type="error"><text:p>#N/A</text:p></table:table-cell>'
)


def test_a_workbook_of_opendocument_is_read_with_its_errors_zeros_and_line_numbers() -> None:
    rows = ODS_GAP.format(2) + ods_row(*map(ods_text, HEADINGS))
    rows += ods_row(ods_number("190270107001", "1.9E+11"), ods_text("Asha"), ods_text("asha@example.com"))
    rows += ods_row(ods_number("12", "0012"), ods_text("Ben"), ods_text("ben@example.com"))
    rows += ods_row(ODS_ERROR, ods_text("Cleo"), ods_text("cleo@example.com")) + ODS_GAP.format(1048000)
    table = read(ods(rows), "liste.ods")
    assert table.taken_for == "a list of students (workbook, .ods, sheet “Liste”)"
    asha, ben, cleo = entries_of(table)
    assert [(entry.line, entry.roll_number) for entry in (asha, ben)] == [(4, "190270107001"), (5, "0012")]
    assert (cleo.problem or "").startswith("the roll number is #N/A")


def test_a_workbook_of_excel_97_is_read() -> None:
    table = read_path(Path(__file__).parent.parent / "data" / "workbooks" / "excel97.xls")
    assert table.taken_for == "a list of students (workbook, .xls, sheet “7B”)"
    entries = entries_of(table)
    assert [(entry.line, entry.roll_number, entry.email) for entry in entries] == [
        (3, "190270107001", "asha@example.com"),
        (4, "0012", "ben@example.com"),
        (5, "#N/A", "cleo@example.com"),
    ]


# Bounds, and what is no list


def with_sheet(book: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The workbook with its first sheet's XML changed."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(book)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == "xl/worksheets/sheet1.xml" else content)
    return made.getvalue()


def million_rows(row: str) -> bytes:
    """A workbook of a student, a million such rows, and another student."""
    cell = '<c r="{}1000003" t="inlineStr"><is><t>{}</t></is></c>'
    rows = "".join(row.format(n=n) for n in range(3, 1000003))
    rows += f'<row r="1000003">{cell.format("A", "Ben")}{cell.format("B", "ben@example.com")}</row>'
    return with_sheet(
        xlsx(["name", "email"], ["Asha", "asha@example.com"]),
        lambda content: content.replace(b"</sheetData>", f"{rows}</sheetData>".encode()),
    )


@pytest.mark.long
def test_a_sheet_that_is_formatted_down_to_its_end_is_read() -> None:
    table = read(million_rows('<row r="{n}"><c r="A{n}" s="1"/></row>'))
    assert [(line, cells[0]) for line, cells in table.rows] == [(2, "Asha"), (1000003, "Ben")]


@pytest.mark.long
def test_a_text_of_a_million_empty_rows_is_read() -> None:
    table = read("name,email,x\n" + ",,\n" * 1_000_000 + "Asha,asha@example.com,\n")
    assert [line for line, _ in table.rows] == [1_000_002]


def test_a_zip_that_grows_beyond_all_lists_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "LARGEST", 1_000_000)
    shown = refusal(xlsx(["name", "email"], *[["Asha", "x" * 30]] * 20_000))
    assert "expands to more than" in shown


def test_rows_and_cells_that_repeat_without_end_are_refused() -> None:
    cell = ods_text("x").replace(" ", ' table:number-columns-repeated="16000" ', 1)
    rows = ods_row(ods_text("name"), ods_text("email"))
    rows += ods_row(cell).replace(">", ' table:number-rows-repeated="1000000">', 1)
    assert "holds too much" in refusal(ods(rows))


def test_more_rows_than_any_school_has_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MOST_ROWS", 3)
    assert "more than 3 rows" in refusal("name,email\n" + "Asha,asha@example.com\n" * 4)


def test_xml_that_declares_entities_is_refused() -> None:
    declared = b'<!DOCTYPE x [<!ENTITY a "b">]><worksheet'
    book = with_sheet(xlsx(["name", "email"]), lambda content: content.replace(b"<worksheet", declared, 1))
    assert "The workbook is damaged" in refusal(book)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xef\xbb\xbf\r\n", "is empty"),
        (b"%PDF-1.7", "This is a PDF document, and no list."),
        (b"<html><table><tr><td>name</td></tr></table></html>", "This is a web page under the name of a .csv."),
        (b"PK\x03\x04 broken", "The file is damaged"),
        (zipped(notes="x"), "The zip holds no workbook and no OneRoster files."),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 broken", "The workbook is damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le"), "The workbook has a password."),
        (xlsx(["Notes"]), "There is no column for the name and no e-mail: line 1 is “Notes”."),
        (xlsx(["name", "email"])[:-30], "The file is damaged"),
    ],
)
def test_what_is_no_list_is_refused_with_the_reason(content: bytes, said: str) -> None:
    assert said in refusal(content)


def test_a_file_that_is_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("classes.rosters.sources.LARGEST", 10)
    path = tmp_path / "list.csv"
    path.write_text("name,email\nAsha,asha@example.com\n")
    with pytest.raises(RosterError, match="larger than 0 MB"):
        read_path(path)


WHOLE = [
    xlsx(["name", "email"], ["Asha", "asha@example.com"]),
    ods(ods_row(ods_text("name"), ods_text("email")) + ods_row(ods_text("Asha"), ods_text("asha@example.com"))),
    (Path(__file__).parent.parent / "data" / "workbooks" / "excel97.xls").read_bytes(),
    "name,email\nAsha,asha@example.com\n".encode("utf-16"),
    b'\xef\xbb\xbfname;email\r\n"As""ha";asha@example.com\r\n',
]


@given(st.sampled_from(WHOLE), st.data())
def test_a_damaged_file_is_read_or_refused(whole: bytes, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(whole)))
    length = data.draw(st.integers(0, 40))
    damaged = whole[:at] + data.draw(st.binary(max_size=40)) + whole[at + length :]
    with suppress(RosterError):
        entries_of(read(damaged))


def test_columns_named_by_hand_go_before_what_is_known() -> None:
    content = 'Student,ID,SIS Login ID,Section,Mailbox\n"Rao, Asha",1,arao,7B,asha@example.com\n'
    table = read(content, named=named_columns(["email=mailbox"]))
    assert table.taken_for.startswith("a Canvas gradebook")
    assert people(table) == [("Asha Rao", "asha@example.com", None)]
    assert table.unused == ["ID", "SIS Login ID", "Section"]


# Charging


@pytest.mark.parametrize(
    "make", [lambda lines: "\n".join(lines), lambda lines: xlsx(*(line.split(",") for line in lines))]
)
def test_rows_are_charged_in_portions_and_reading_ends_with_a_refusal(make: Callable[[list[str]], Any]) -> None:
    charged: list[int] = []
    content = make(["name,email", *(f"Ann {number},ann{number}@example.com" for number in range(2_300))])
    assert len(read(content, charge=charged.append).rows) == 2_300
    assert charged == [1_000, 1_000, 300]

    def refuse(rows: int) -> None:
        charged.append(rows)
        raise errors.TooManyRequests(60)

    charged.clear()
    with pytest.raises(errors.TooManyRequests):
        read(content, charge=refuse)
    assert charged == [1_000]


def test_a_hundred_empty_rows_cost_one() -> None:
    charged: list[int] = []
    read("name,email\n" + "\n" * 250_000 + "Ann,ann@example.com\n", charge=charged.append)
    assert sum(charged) == 2_501


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "students.csv ist leer. Die erste Zeile braucht die Überschriften name und email."),
        ("%PDF-1.7 and so on", "students.csv: Das ist ein PDF-Dokument und keine Liste."),
        ("name,email\n", "students.csv: Es gibt Überschriften, aber niemanden darunter."),
        ("name,roll number,x\nAsha,7,a@b.example\n", "students.csv: Es gibt keine Spalte für die E-Mail, und „x“ hat"),
        ("who,what\na,b\n", "students.csv: Es gibt keine Spalte für Name und E-Mail: Zeile 1 ist “who | what”."),
        ("name,email,e-mail\nAsha,a@b.example,b@b.example\n", "students.csv: Zwei Spalten können E-Mail sein: „email“"),
    ],
)
def test_why_a_file_cannot_be_read_is_told_in_the_readers_language(content: str, said: str) -> None:
    with translation.override("de"), pytest.raises(RosterError) as failure:
        read(content)
    assert failure.value.plain.startswith(said)
    assert "--column" not in failure.value.plain
    assert failure.value.plain.endswith(".")
