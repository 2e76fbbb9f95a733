"""An import that gives the students whom it creates passwords, and the file in which these passwords are."""

import os
import secrets
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from accounts.passwords import password_make
from accounts.standing import Author
from classes.rosters.entries import Entry
from classes.rosters.errors import RosterError
from classes.rosters.plan import Plan, roster_plan
from classes.rosters.write import roster_import
from core.spreadsheets import MARK, write_csv


class PasswordFile:
    """A new CSV file of passwords, which only its owner can read. An existing file is never overwritten.

    The passwords are written before the import, under the name `unfinished`, and the file gets its name after the
    commit. So a crash after the commit leaves no student whose password nobody knows.
    """

    def __init__(self, path: Path, *, mark: bool = True) -> None:
        """Raises `RosterError` where no new file can be made. `mark`: the file begins with what Excel needs."""
        self.path = path
        self.mark = mark
        self.unfinished = path.with_name(f"{path.name}.unfinished-{secrets.token_hex(4)}")
        if os.path.lexists(path):
            raise RosterError(f"{path} is there already and is not overwritten. Name another file for the passwords.")
        if not path.parent.is_dir():
            raise RosterError(f"There is no folder {path.parent} for the passwords.")

    def write(self, named_by: str, rows: Iterable[tuple[str, str, str]]) -> None:
        """Puts name, what the student signs in by, and password of each row on the disk, under the unfinished name.

        `named_by` is the heading of the second column.
        """
        try:
            descriptor = os.open(self.unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                file.write(MARK if self.mark else "")
                write_csv(file, [("name", named_by, "password"), *rows])
                file.flush()
                os.fsync(file.fileno())
        except OSError as failure:
            raise RosterError(f"Cannot write {self.path}: {failure.strerror}. Nothing was imported.") from None

    def keep(self) -> None:
        """Gives the file its name, after the commit. Raises `RosterError` if another file has the name by then."""
        try:
            os.link(self.unfinished, self.path)  # unlike a rename, a link never replaces a file
        except FileExistsError:
            raise RosterError(
                f"The import is done, but {self.path} came to be meanwhile. The passwords are in {self.unfinished}."
            ) from None
        except OSError:
            self.unfinished.rename(self.path)  # this file system has no links
        else:
            self.unfinished.unlink()

    def discard(self) -> None:
        """Removes the file: nothing was committed."""
        self.unfinished.unlink(missing_ok=True)


def roster_import_with_passwords(
    *,
    class_id: str,
    entries: Sequence[Entry],
    author: Author,
    file: PasswordFile,
    hashed: Callable[[Sequence[str]], Iterable[str]],
    names_differ: bool = False,
) -> Plan:
    """`roster_import`, where each created student gets a random password, which is then in the new `file`.

    `hashed` turns passwords into the hashes to store, in the same order. No file is made where nobody is created.
    """
    plan = roster_plan(class_id=class_id, entries=entries, author=author)
    if plan.is_refused(names_differ=names_differ) or not plan.created:
        return roster_import(
            class_id=class_id, entries=entries, author=author, password_hashes={}, names_differ=names_differ
        )
    passwords = [password_make() for _ in plan.created]
    hashes = dict(zip([row.entry.key for row in plan.created], hashed(passwords), strict=True))
    try:
        file.write(
            "roll number" if plan.created[0].entry.has_no_email else "email",
            (
                (row.entry.name, row.entry.email or row.entry.roll_number or "", password)
                for row, password in zip(plan.created, passwords, strict=True)
            ),
        )
        plan = roster_import(
            class_id=class_id, entries=entries, author=author, password_hashes=hashes, names_differ=names_differ
        )
    except RosterError:
        file.discard()
        raise
    except BaseException as failure:
        # The commit may have been done and only its answer lost.
        failure.add_note(f"If students were created nevertheless, their passwords are in {file.unfinished}.")
        raise
    if plan.is_refused(names_differ=names_differ):
        file.discard()
    else:
        file.keep()
    return plan
