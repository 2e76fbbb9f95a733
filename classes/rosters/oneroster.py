"""OneRoster's zip: the users, and in version 1.2 their roles, which are a file of their own."""

from collections.abc import Iterator, Sequence

from django.utils.translation import gettext as _

from classes.rosters.archives import Archive
from classes.rosters.errors import RosterError
from classes.rosters.headings import folded
from classes.rosters.tables import FindHeadings, Line, Table, table_of, with_parts
from classes.rosters.text import decoded, text_lines

USERS, ROLES = "users.csv", "roles.csv"
_LARGEST = 64 * 1024 * 1024


def member(names: Sequence[str], wanted: str) -> str | None:
    """The file of this name in a zip, in whatever folder; None if there is none."""
    return next((name for name in names if name.rpartition("/")[2].casefold() == wanted), None)


def read_oneroster(archive: Archive, *, find: FindHeadings, encoding: str | None) -> Table:
    """The users of a OneRoster zip. Raises `RosterError`."""
    users, roles = member(archive.names, USERS), member(archive.names, ROLES)
    if users is None:
        raise RosterError(_("The zip has no users.csv, so it is no OneRoster file. Name the list of students itself."))
    lines = _lines(archive, users, encoding)
    used = [users]
    if roles is not None and "role" not in map(folded, lines[0][1]):
        lines = _with_roles(lines, _lines(archive, roles, encoding))
        used.append(roles)
    table = table_of(find(lines[:1]), iter(lines), f"zip, {' and '.join(used)}")
    return with_parts(table, [name for name in archive.names if name not in used and not name.endswith("/")])


def _lines(archive: Archive, name: str, encoding: str | None) -> list[Line]:
    _codec, text = decoded(archive.read(name, _LARGEST), encoding)
    lines = [(line, cells) for line, cells in text_lines(text, ",") if cells]
    if not lines:
        raise RosterError(_("%s is empty.") % name)
    return lines


def _with_roles(users: Sequence[Line], roles: Sequence[Line]) -> list[Line]:
    """The users with a column `role`: their primary role, or else the first."""
    by_user: dict[str, str] = {}
    for row in _named_cells(roles):
        if row.get("status", "").casefold() != "tobedeleted":
            is_primary = row.get("roletype", "").casefold() == "primary"
            user, role = row.get("usersourcedid", ""), row.get("role", "")
            by_user[user] = role if is_primary else by_user.get(user, role)
    (line, headings), *rest = users
    at = next((at for at, heading in enumerate(headings) if folded(heading) == "sourcedid"), None)
    joined: list[Line] = [(line, [*headings, "role"])]
    for line, cells in rest:
        key = cells[at] if at is not None and at < len(cells) else ""
        padded = (
            [*cells, *[""] * (len(headings) - len(cells))][: len(headings)] if len(cells) < len(headings) else cells
        )
        joined.append((line, [*padded, by_user.get(key, "")]))
    return joined


def _named_cells(lines: Sequence[Line]) -> Iterator[dict[str, str]]:
    (_line, headings), *rest = lines
    words = [folded(heading) for heading in headings]
    for _line, cells in rest:
        yield dict(zip(words, (cell.strip() for cell in cells), strict=False))
