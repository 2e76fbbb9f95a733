"""The results of `python -m bench.year` as tables."""

from collections.abc import Iterable, Mapping, Sequence

from bench.results import Figures
from bench.table import columns, shown

MB = 1e6
#: What takes longer than this in the school's fifth year, ms, has a line of its own.
SHOWN_FROM = 100.0
#: Tables that are smaller are taken together, bytes.
SMALL = 1 * MB


def as_text(found: Figures) -> str:
    """What is printed of one school."""
    asked = [("asked", "ms", "statements", "bytes")]
    asked += [
        (name, shown(of["ms"]), str(of["statements"]), f"{of['bytes']:,}")
        for name, of in sorted(found.get("asked", {}).items(), key=lambda item: -item[1]["ms"])
    ]
    commands = [
        ("command", "took"),
        *((name, f"{of['seconds']:.1f} s") for name, of in found.get("commands", {}).items()),
    ]
    sizes = table_of_sizes([found]) if "tables" in found else [("sizes", "not measured")]
    return "\n\n".join(map(columns, (sizes, asked, commands)))


def table_of_sizes(schools: Sequence[Figures]) -> list[tuple[str, ...]]:
    """A line a table: rows, MB of the table and of its indexes, for each of the schools."""
    names = dict.fromkeys(of["table"] for school in reversed(schools) for of in school["tables"] if _bytes(of) >= SMALL)
    lines = [("table", *(head for _ in schools for head in ("rows", "MB", "indexes, MB")))]
    by_table = [{of["table"]: of for of in school["tables"]} for school in schools]
    for name in names:
        lines.append((f"`{name}`", *(cell for tables in by_table for cell in _cells([tables[name]]))))
    others = [[of for of in school["tables"] if of["table"] not in names] for school in schools]
    lines.append(("all others", *(cell for tables in others for cell in _cells(tables))))
    lines.append(("together", *(cell for school in schools for cell in _cells(school["tables"]))))
    return lines


def _cells(tables: Iterable[Mapping[str, int]]) -> tuple[str, str, str]:
    some = list(tables)
    rows, table, indexes = (sum(of[key] for of in some) for key in ("rows", "bytes", "index_bytes"))
    return f"{rows:,}", f"{table / MB:,.1f}", f"{indexes / MB:,.1f}"


def _bytes(of: Mapping[str, int]) -> int:
    return of["bytes"] + of["index_bytes"]


def lasting_bytes(school: Figures) -> int:
    """The bytes of what stays: all but the audit log, of which each day takes as much away as it adds."""
    return sum(_bytes(of) for of in school["tables"] if of["table"] != "audit_entry")


def by_unit(schools: Mapping[str, Figures]) -> list[tuple[str, ...]]:
    """A line a database: what a mark, a lesson and a year add. `schools`: database → its school of a year."""
    lines: list[tuple[str, ...]] = [
        ("on", "a mark and its record, bytes", "a lesson, KB", "a year, MB", "the audit log (180 days), MB")
    ]
    for name, school in schools.items():
        tables = {of["table"]: _bytes(of) for of in school["tables"]}
        of_mark = (tables["attendance_mark"] + tables["attendance_attendance"]) / school["marks"]
        lasting = lasting_bytes(school)
        lines.append(
            (
                name,
                f"{of_mark:,.0f}",
                f"{lasting / school['lessons'] / 1e3:,.1f}",
                f"{lasting / MB:,.0f}",
                f"{tables.get('audit_entry', 0) / MB:,.0f}",
            )
        )
    return lines


def table_of_asked(by_database: Mapping[str, Sequence[Figures]]) -> list[tuple[str, ...]]:
    """What takes long in one of the databases: ms for each school of each, and the statements of the first database.

    `by_database`: database → its schools, the youngest first.
    """
    by_database = {name: [of for of in schools if "asked" in of] for name, schools in by_database.items()}
    schools = [school for of in by_database.values() for school in of]
    first = next(iter(by_database.values()))
    names = [name for name in first[0]["asked"] if any(of["asked"][name]["ms"] >= SHOWN_FROM for of in schools)]
    heads = [f"{database}, {years_of(of)}, ms" for database, each in by_database.items() for of in each]
    lines = [("asked", *heads, "statements")]
    for name in names:
        statements = " → ".join(dict.fromkeys(str(of["asked"][name]["statements"]) for of in first))
        lines.append((_named(name), *(shown(of["asked"][name]["ms"]) for of in schools), statements))
    return lines


def _named(name: str) -> str:
    """`teacher: /app/` → teacher: `/app/`."""
    whose, colon, path = name.partition(": ")
    return f"{whose}: `{path}`" if colon else name


def years_of(school: Figures) -> str:
    years = school["years"]
    return "a year" if years == 1 else f"{years} years"


def table_of_commands(by_database: Mapping[str, Sequence[Figures]]) -> list[tuple[str, ...]]:
    """Seconds and MiB of the commands that read everything."""
    lines: list[tuple[str, ...]] = [
        ("on", "", "`export_oneroster`", "`backup`", "the file", "`restore`", "`serve` is ready")
    ]
    for database, schools in by_database.items():
        for school in (school for school in schools if "commands" in school):
            of = school["commands"]
            lines.append(
                (
                    database,
                    years_of(school),
                    _took(of["export_oneroster"]),
                    _took(of["backup"]),
                    f"{of['backup']['bytes'] / MB:,.0f} MB",
                    _took(of["restore"]),
                    f"{of['serve']['seconds']:.1f} s",
                )
            )
    return lines


def _took(command: Figures) -> str:
    return f"{command['seconds']:.1f} s, {command['memory_mib']:.0f} MiB"
