"""docs/asyncapi.yaml as tests hold it against what the server sends."""

from collections.abc import Iterable
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from tests.support.processes import ROOT

DOCUMENT: dict[str, Any] = yaml.safe_load((ROOT / "docs" / "asyncapi.yaml").read_text())
MESSAGES: dict[str, Any] = DOCUMENT["components"]["messages"]


def names(operation: str) -> dict[str, str]:
    """An operation's messages: the key in `components` by the event's name."""
    keys = []
    for reference in DOCUMENT["operations"][operation]["messages"]:
        _, channels, channel, messages, message = reference["$ref"].split("/")
        target = DOCUMENT[channels][channel][messages][message]["$ref"]
        keys.append(target.rpartition("/")[2])
    return {MESSAGES[key]["name"]: key for key in keys}


def check(key: str, payload: Any) -> None:
    """Raises ValidationError where `payload` is not what the document says of the message `key`."""
    schema = {**DOCUMENT, "$ref": f"#/components/messages/{key}/payload"}
    Draft202012Validator(schema).validate(payload)


def check_all(operation: str, heard: Iterable[tuple[str, Any]]) -> None:
    """All of it is as the document says, and nothing that it says is missing."""
    known, seen = names(operation), set()
    for event, payload in heard:
        check(known[event], payload)
        seen.add(event)
    assert seen == known.keys()
