"""Which column of a list is which: the words that its heading may be, in eight languages."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from classes.rosters.errors import RosterError
from core.characters import without_invisible

#: Column → the words for it, the best first: where two headings of a list name one column, the better one is taken.
#: English, German, French, Spanish, Portuguese, Italian, Hindi, Arabic. `folded` makes the rest of a heading's
#: spelling the same: letter case, accents of Latin letters, spaces, line breaks and marks between words.
_WORDS: Mapping[str, Sequence[str]] = {
    "name": (
        """name; full name; student name; stud name; name of student; name of the student; student full name;
        learner name; pupil name; candidate name; participant name; display name; student; pupil; learner;
        participant;
        vollständiger Name; Name des Schülers; Name der Schülerin; Schülername; Schüler; Schülerin; Schüler/in;
        Studierende; Studierende/r; Student/in; Studentin; Teilnehmer; Teilnehmer/in; Vor- und Nachname; Name, Vorname;
        Nachname, Vorname; nom complet; nom et prénom; nom et prénoms; nom prénom; noms et prénoms; prénom et nom;
        nom de l'élève; nom de l'étudiant; élève; étudiant; étudiant(e); nombre completo; nombre y apellidos;
        nombre y apellido; apellidos y nombre; apellidos y nombres; apellido y nombre; apellidos, nombre;
        nombre del alumno; nombre del estudiante; alumno; alumna; alumno/a; estudiante; nome completo; nome do aluno;
        nome do estudante; nome e sobrenome; aluno; aluna; aluno(a); estudante; nome e cognome; cognome e nome;
        nominativo; studente; studentessa; alunno; alunna; नाम; पूरा नाम; छात्र का नाम; छात्रा का नाम; विद्यार्थी का नाम;
        छात्र; विद्यार्थी; الاسم; اسم; الاسم الكامل; الإسم; الإسم الكامل; اسم الطالب; إسم الطالب; اسم الطالبة; الطالب""",
    ),
    "first_name": (
        """first name; given name; given names; first names; forename; forenames; first; student first name; Vorname;
        Vornamen; Rufname; prénom; prénoms; primer nombre; nombre de pila; nombres; primeiro nome; prenome;
        nome próprio; nome di battesimo; पहला नाम; प्रथम नाम; الاسم الأول; الإسم الأول; الاسم الشخصي""",
    ),
    "last_name": (
        """last name; surname; family name; last; student last name; Nachname; Familienname; Zuname;
        nom de famille; apellidos; apellido; primer apellido; sobrenome; apelido; último nome; cognome; उपनाम; कुलनाम;
        अंतिम नाम; اسم العائلة; إسم العائلة; الاسم الأخير; اللقب; الكنية; الاسم العائلي""",
    ),
    "email": (
        """email; e-mail address; email id; student email; student email address; student email id; school email;
        email school; mail; mail id; mail address; email login; E-Mail-Adresse; Mailadresse; Mail-Adresse; E-Post;
        E-Mail Schüler; courriel; adresse courriel; adresse e-mail; adresse mail; adresse électronique; mél; mel;
        adresse de courriel; adresse de messagerie; correo; correo electrónico; correo-e; dirección de correo;
        dirección de correo electrónico; dirección de email; email del alumno; e-mail do aluno; endereço de e-mail;
        correio eletrônico; correio eletrónico; endereço eletrônico; indirizzo e-mail; indirizzo mail;
        posta elettronica; indirizzo di posta elettronica; ईमेल; ई-मेल; ईमेल पता; ई-मेल पता; ईमेल आईडी; मेल;
        البريد الإلكتروني; البريد الالكتروني; بريد إلكتروني; بريد الكتروني; عنوان البريد الإلكتروني; الإيميل; الايميل;
        ايميل; إيميل; البريد""",
    ),
    "roll_number": (
        """roll number; roll no; roll; roll num; roll nr; class roll no; class roll number; university roll no;
        university roll number; exam roll no; student roll no; student roll number; رقم الجلوس; रोल नंबर; रोल नं;
        रोल नम्बर;
        रोल न; अनुक्रमांक; रोल क्रमांक""",
        """enrollment no; enrolment no; enrollment number; enrolment number; enroll no; enrol no; enrollment; enrolment;
        enrollment id; enrolment id; registration no; registration number; regn no; reg no; regd no; registration id;
        reg number; usn; prn; matriculation no; matriculation number; matric no; matric number; matriculation;
        admission no; admission number; adm no; index no; index number; hall ticket no; hall ticket number;
        Matrikelnummer; Matrikelnr; Matrikel-Nr; Matr.-Nr.; MatNr; Matrikel; Schülernummer; numéro d'étudiant;
        numéro étudiant; n° étudiant; n° d'étudiant; nº étudiant; no étudiant; matricule; numéro de matricule;
        n° matricule; numéro d'inscription; INE; matrícula; número de matrícula; n° de matrícula; nº de matrícula;
        n.º de matrícula; nº matrícula; número de lista; nº de lista; expediente; nº expediente; legajo; boleta;
        número de control; número de cuenta; carné; código de estudiante; código del estudiante; número de aluno;
        nº de aluno; n.º de aluno; nº aluno; número do aluno; RA; registro acadêmico; matricola; numero di matricola;
        numero matricola; n. matricola; n° matricola; नामांकन संख्या; नामांकन क्रमांक; पंजीकरण संख्या; पंजीयन क्रमांक;
        رقم الطالب; رقم الطالبة; الرقم الجامعي; رقم القيد; رقم التسجيل; الرقم الأكاديمي; الرقم الاكاديمي;
        رقم القيد الجامعي""",
        """student id; student no; student number; student id number; id number; id no; learner id; pupil id; sis id;
        sis user id; school id; Schüler-ID; Studenten-ID; identifiant; id étudiant; ID del alumno; ID do aluno;
        id studente; छात्र आईडी; विद्यार्थी आईडी; هوية الطالب""",
    ),
}
#: Words that are the whole name, or the part of it that another column leaves over: `Nom` beside `Prénom`.
_EITHER = "name; nom; nombre; nome; noms; student name"

#: What messages call the columns, in their order.
LABELS = {
    "name": gettext_noop("name"),
    "first_name": gettext_noop("first name"),
    "last_name": gettext_noop("last name"),
    "email": gettext_noop("e-mail"),
    "roll_number": gettext_noop("roll number"),
}


def folded(heading: str) -> str:
    """A heading without letter case, accents of Latin letters, spaces, line breaks, and marks between words."""
    text = unicodedata.normalize("NFKD", without_invisible(heading).casefold())
    kept = (
        letter for letter in text if not "\u0300" <= letter <= "\u036f" and unicodedata.category(letter)[0] in "LMN"
    )
    return unicodedata.normalize("NFC", "".join(kept))


def _split(words: str) -> list[str]:
    return [folded(word) for word in words.split(";")]


#: Heading, folded → column and rank, 0 for the best.
_HEADINGS = {
    word: (column, rank)
    for column, ranks in _WORDS.items()
    for rank, words in enumerate(ranks)
    for word in _split(words)
}
_EITHERS = frozenset(_split(_EITHER))
_HEADINGS.update((word, ("name", 0)) for word in _EITHERS)


#: Longer headings that have such a word in them: `CS Roll No. (new)`, `University e-mail`. They come last.
_WITHIN = {
    "roll_number": re.compile(
        r"roll(?:no|num|nr)|(?:enrol|enroll|enrolment|enrollment|registration|admission)(?:no|num|nr)|matric\w*n(?:o|um|r)"
        r"|^(?:reg|regn|regd|prn|usn|adm|gr|matr)(?:no|num|nr)"
    ),
    "email": re.compile(r"email|correoelectronico|courriel"),
}
_OF_OTHERS = re.compile(
    r"parent|guardian|father|mother|teacher|eltern|vater|mutter|tutor|padre|madre|genitor|pai\b|mae\b"
)
_LAST = 9


def is_of_others(heading: str) -> bool:
    """Whether the heading names what is a parent's or a teacher's."""
    return bool(_OF_OTHERS.search(folded(heading)))


def ranked(words: Mapping[str, str]) -> dict[str, tuple[str, int]]:
    """Heading, folded → column and rank, of further columns: column → the words for it, with semicolons between."""
    return {word: (column, 0) for column, all_words in words.items() for word in _split(all_words)}


def _column_of(heading: str, more: Mapping[str, tuple[str, int]]) -> tuple[str, int] | None:
    """The column that a heading names, and its rank; None if it names none."""
    word = folded(heading)
    if word in more:
        return more[word]
    if word in _HEADINGS:
        return _HEADINGS[word]
    if _OF_OTHERS.search(word):
        return None
    return next(((column, _LAST) for column, pattern in _WITHIN.items() if pattern.search(word)), None)


def columns_of(headings: Sequence[str], more: Mapping[str, tuple[str, int]] = {}) -> dict[str, int]:
    """Column → its position, for each column that one of `headings` names; `more`: further columns, `ranked`.

    Raises `RosterError` where two headings name one column as well as each other.
    """
    best: dict[str, tuple[int, int]] = {}
    double: dict[str, tuple[int, int]] = {}
    known = [_column_of(heading, more) for heading in headings]
    apart = {found[0] for found in known if found} & {"first_name", "last_name"}
    for at, found in enumerate(known):
        if found is None:
            continue
        column, rank = found
        if column == "name" and len(apart) == 1 and folded(headings[at]) in _EITHERS:
            column = "last_name" if apart == {"first_name"} else "first_name"
        if column not in best or rank < best[column][0]:
            best[column] = rank, at
            double.pop(column, None)
        elif rank == best[column][0]:
            double[column] = best[column][1], at
    if "name" in best:
        double.pop("first_name", None)
        double.pop("last_name", None)
    for column, (first, second) in double.items():
        said = _("Two columns may be the %(column)s: “%(first)s” and “%(second)s”. Leave one of them out")
        raise RosterError(
            said % {"column": _(LABELS.get(column, column)), "first": headings[first], "second": headings[second]},
            f', or name the one that is meant: --column {column_word(column)}="{headings[first].strip()}"',
        )
    columns = {column: at for column, (_rank, at) in best.items()}
    if "name" in columns:
        columns.pop("first_name", None)
        columns.pop("last_name", None)
    return columns


def column_word(column: str) -> str:
    """What `--column` calls a column: `rollNumber`."""
    first, *rest = column.split("_")
    return first + "".join(word.capitalize() for word in rest)


def column_named(word: str, columns: Iterable[str] = LABELS) -> str | None:
    """Which of `columns` `--column` calls `word`, in any letter case; None for none of them."""
    return {column.replace("_", ""): column for column in columns}.get(folded(word))
