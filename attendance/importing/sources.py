"""Where documents come from: a MongoDB, or the files that `mongoexport` wrote.

Both give the same Python values (ObjectId, datetime, str, …), read by bson's own rules. What cannot be read at
all is a `SourceError`; one bad value in one document is for `attendance.importing.documents` to refuse.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import Any, NoReturn

from bson import json_util
from bson.codec_options import CodecOptions, DatetimeConversion
from bson.errors import BSONError
from pymongo import MongoClient
from pymongo.errors import ConfigurationError, PyMongoError

#: What the collections are called: as the assignment has it, then Mongoose's names for other models' names.
NAMES = {
    "users": ("users", "user", "usermodels", "usermodel"),
    "classes": ("classes", "class", "classmodels", "classmodel"),
    "attendances": ("attendances", "attendance", "attendancemodels", "attendancemodel"),
}
#: A server that does not answer is given up after this long, milliseconds.
PATIENCE = 4000
_SUFFIXES = (".json", ".jsonl", ".ndjson")
_SPACE = re.compile(r"[ \t\r\n]*")
#: The extended JSON that these collections' fields may be written in.
_EXTENDED = {"$oid", "$date", "$numberLong", "$numberInt", "$numberDouble", "$numberDecimal"}
_JSON = json_util.JSONOptions(tz_aware=True, tzinfo=UTC)


class SourceError(Exception):
    """The source is empty or cannot be read; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Document:
    """One document and where it stands, for messages: `users.json line 3`."""

    place: str
    value: object


@dataclass(frozen=True, slots=True)
class Malformed:
    """Stands for an extended JSON value that spells none, or for one of a kind that no field has."""

    reason: str


def read(source: str | None, chosen: Mapping[str, str | None]) -> dict[str, list[Document] | None]:
    """The documents of each of `NAMES`; None for a collection that is not there.

    `source` is a `mongodb://` address or a folder. `chosen` names collections (or files) that are called otherwise.
    """
    if source is not None and source.startswith(("mongodb://", "mongodb+srv://")):
        return _read_mongodb(source, chosen)
    return {key: _read_file(path) if path else None for key, path in _files(source, chosen).items()}


def _nothing(where: str, there: Sequence[str]) -> NoReturn:
    listed = f" It has: {', '.join(sorted(there)[:20])}." if there else " It is empty."
    raise SourceError(f"{where} has no users, classes or attendances.{listed} Name them by --users and so on.")


def _only(key: str, found: Sequence[str], where: str) -> str | None:
    if len(found) > 1:
        raise SourceError(f"{where} has {' and '.join(sorted(found))}. Say which one it is by --{key}.")
    return found[0] if found else None


# MongoDB


def _read_mongodb(address: str, chosen: Mapping[str, str | None]) -> dict[str, list[Document] | None]:
    shown = _without_secrets(address)
    options: CodecOptions[dict[str, Any]] = CodecOptions(
        tz_aware=True, tzinfo=UTC, datetime_conversion=DatetimeConversion.DATETIME_AUTO
    )
    try:
        with MongoClient[dict[str, Any]](
            address, serverSelectionTimeoutMS=PATIENCE, connectTimeoutMS=PATIENCE
        ) as client:
            database = _database(client, shown)
            there = database.list_collection_names()
            names: dict[str, str | None] = {}
            for key, usual in NAMES.items():
                name = chosen.get(key)
                if name is not None and name not in there:
                    raise SourceError(f"{shown} has no collection {name}. It has: {', '.join(sorted(there))}.")
                names[key] = name or _only(key, [name for name in there if name.lower() in usual], shown)
            if not any(names.values()):
                _nothing(shown, there)
            return {
                key: [
                    Document(f"{name} {document.get('_id')}", document)
                    for document in database.get_collection(name, options).find().sort("_id")
                ]
                if name
                else None
                for key, name in names.items()
            }
    except (PyMongoError, BSONError, ValueError) as failure:
        said = str(failure).partition(", Timeout:")[0]
        raise SourceError(f"Cannot read {shown}: {said}. Is the server running, and the address right?") from None


def _database(client: MongoClient[dict[str, Any]], shown: str) -> Any:
    try:
        return client.get_default_database()
    except ConfigurationError:
        raise SourceError(f"{shown} names no database. Add its name: mongodb://host:27017/name") from None


def _without_secrets(address: str) -> str:
    """The address without user, password and options, for messages."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


# Files


def _files(source: str | None, chosen: Mapping[str, str | None]) -> dict[str, Path | None]:
    named = {key: Path(name) for key, name in chosen.items() if name is not None}
    if source is None:
        if not named:
            raise SourceError("Name what to import: a mongodb:// address, a folder, or files by --users and so on.")
        return {key: named.get(key) for key in NAMES}
    folder = Path(source)
    if not folder.is_dir():
        raise SourceError(f"{source} is no folder and no mongodb:// address. Single files are named by --users etc.")
    there = [path.name for path in folder.iterdir()]
    files = {key: named.get(key) or _in_folder(folder, key, there) for key in NAMES}
    if not any(files.values()):
        _nothing(source, there)
    return files


def _in_folder(folder: Path, key: str, there: Sequence[str]) -> Path | None:
    """The collection's file: `users.json`, or `school.users.json` as Compass names it."""
    paths = [Path(name) for name in there]
    found = [
        path.name
        for path in paths
        if path.suffix.lower() in _SUFFIXES and path.stem.lower().rpartition(".")[2] in NAMES[key]
    ]
    name = _only(key, found, str(folder))
    return folder / name if name else None


def _read_file(path: Path) -> list[Document]:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as failure:
        raise SourceError(f"Cannot read {path}: {failure.strerror}.") from None
    except UnicodeDecodeError:
        raise SourceError(f"{path} is not UTF-8. Let mongoexport write it itself, by --out.") from None
    except ValueError:
        raise SourceError("A file's name has a NUL character.") from None
    return _documents(path.name, text)


def _documents(name: str, text: str) -> list[Document]:
    """The documents of a JSON array, or documents one after another, on one line each or on several."""
    documents = []
    at = _after_space(text, 0)
    in_array = text.startswith("[", at)
    if in_array:
        at = _after_space(text, at + 1)
    line, counted = 1, 0
    while at < len(text) and not (in_array and text[at] == "]"):
        line, counted = line + text.count("\n", counted, at), at
        try:
            value, at = _decoder.raw_decode(text, at)
        except json.JSONDecodeError as failure:
            raise SourceError(f"{name} line {failure.lineno} is not JSON ({failure.msg}). Export it again.") from None
        except (ValueError, RecursionError) as failure:
            raise SourceError(f"{name} line {line} is not JSON ({failure}). Export it again.") from None
        documents.append(Document(f"{name} line {line}", value))
        at = _after_space(text, at)
        if in_array and not text.startswith("]", at):
            if not text.startswith(",", at):
                raise SourceError(f"{name} is cut off after line {line}: its array does not end. Export it again.")
            at = _after_space(text, at + 1)
    if in_array and (at >= len(text) or _after_space(text, at + 1) < len(text)):
        raise SourceError(f"{name} does not end with its array, after line {line}. Export it again.")
    return documents


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _object(pairs: list[tuple[str, Any]]) -> Any:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("a key twice in one object")
    special = [key for key in made if key.startswith("$")]
    if not special:
        return made
    if len(made) > 1 or special[0] not in _EXTENDED:
        return Malformed(f"has the key {special[0]}")
    try:
        return json_util.object_hook(made, _JSON)
    except (BSONError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return Malformed(f"is no {special[0]}")


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
