"""JSON from clients, read strictly. Every body and every WebSocket frame goes through `loads`.

`loads` refuses what is not JSON. It also refuses duplicate keys (two readers could read two different messages), NaN
and infinities, integers beyond 64 bits, NUL characters and lone surrogates (no database stores them), and more than
`MAX_DEPTH` levels.
"""

import json
from typing import Any

MAX_DEPTH = 32


def loads(text: str | bytes) -> Any:
    """The value of `text`. Raises ValueError for anything that is not strict JSON in UTF-8."""
    if isinstance(text, bytes):
        text = text.decode()  # UnicodeDecodeError is a ValueError
    try:
        value = _decoder.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    # Only a message with these characters can be too deep or have a refused character, and few messages have them.
    if text.count("{") + text.count("[") > MAX_DEPTH:
        _refuse_depth(value)
    if "\\u" in text:
        _refuse_characters(value)
    return value


def dumps(value: Any) -> str:
    """`value` as JSON that `loads` reads. Raises ValueError for NaN and infinities."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ValueError("duplicate key")
    return made


def _integer(digits: str) -> int:
    # The length is checked first, because Python takes long to convert a million digits.
    if len(digits) > 20 or not -(2**63) <= (number := int(digits)) < 2**64:
        raise ValueError("integer beyond 64 bits")
    return number


def _float(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("number out of range")
    return number


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_constant)


def _refuse_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise ValueError("nested too deeply")
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]


def _refuse_characters(value: Any) -> None:
    level = [value]
    while level:
        for node in level:
            for string in [node] if isinstance(node, str) else node if isinstance(node, dict) else []:
                if "\0" in string:
                    raise ValueError("NUL character")
                string.encode()  # UnicodeEncodeError, a ValueError, for a lone surrogate
        level = [child for node in level for child in _children(node)]


def _children(node: Any) -> list[Any]:
    if isinstance(node, dict):
        return list(node.values())
    return node if isinstance(node, list) else []
