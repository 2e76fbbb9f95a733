"""core.strict_json takes JSON as RFC 8259 has it, and nothing that two readers could read differently."""

import contextlib
import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strict_json import MAX_DEPTH, loads

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXT,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXT, inner, max_size=5),
    max_leaves=20,
)


@given(value=VALUES, ascii_only=st.booleans())
def test_what_json_can_say_is_read_as_it_was_meant(value: object, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    assert loads(text) == value
    assert loads(text.encode()) == value


@given(text=st.text(st.sampled_from('{}[]",:0123456789.eE+-\\utrfnl \n\0é\ud800')) | st.text())
def test_no_text_does_more_than_raise_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        loads(text)


@given(raw=st.binary())
def test_no_bytes_do_more_than_raise_a_value_error(raw: bytes) -> None:
    with contextlib.suppress(ValueError):
        loads(raw)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("18446744073709551615", 2**64 - 1),
        ("-9223372036854775808", -(2**63)),
        ("-0", 0),
        ("1e308", 1e308),
        ("-1.5E-3", -0.0015),
        ("1e-999", 0.0),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\u0041\/\n"', "A/\n"),
        (r'"\\u0000"', r"\u0000"),
        (r'"\\ud800"', r"\ud800"),
        ('"\x7f\u2028"', "\x7f\u2028"),
        (' \t\r\n{"a" : [ ] } ', {"a": []}),
        ('{"": {"a": 1}, "b": {"a": 1}}', {"": {"a": 1}, "b": {"a": 1}}),
        ('"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["', "[" * 38),
    ],
)
def test_the_least_and_the_greatest_values_that_json_allows_are_taken(text: str, value: object) -> None:
    assert loads(text) == value
    assert type(loads(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "NaN",
        "-NaN",
        "Infinity",
        "-Infinity",
        "[NaN]",
        "1e999",
        "-1e999",
        "1" * 400 + ".5",
        "18446744073709551616",
        "-9223372036854775809",
        "9" * 5000,
        "[" + "9" * 5000 + "]",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "1_000",
        "\uff11",
        "'a'",
        "{a: 1}",
        '{"a": 1,}',
        "[1,]",
        "[1 2]",
        '{"a": 1} x',
        "// x\n1",
        "\ufeff1",
        "\u00a01",
        "True",
        "None",
        '{"a": 1, "a": 1}',
        '{"a": 1, "\\u0061": 2}',
        '[{"b": {"a": 1, "a": 2}}]',
        r'"\u0000"',
        '"\0"',
        r'{"\u0000": 1}',
        r'[["\u0000"]]',
        r'{"a": {"b": "\u0000"}}',
        r'"\ud800"',
        r'"\udc00"',
        r'"\ud800\ud800"',
        r'"\udc00\ud83d"',
        r'{"\udfff": 1}',
        '"a\nb"',
        '"a\tb"',
        '"\x1f"',
        r'"\x41"',
        r'"\u00g0"',
        '"open',
    ],
)
def test_a_text_that_is_not_json_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  the reason is for nobody: clients get one message for all
        loads(text)
    with pytest.raises(ValueError):  # noqa: PT011
        loads(text.encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"\xff",
        b'"\xff"',
        b'"\xc0\x80"',
        b'"\xed\xa0\x80"',
        b'"\xf4\x90\x80\x80"',
        b'"\xe2\x82"',
        b'{"a": 1}\x00',
        b"\xef\xbb\xbf1",
        '"a"'.encode("utf-16"),
        "é".encode("latin-1"),
    ],
)
def test_bytes_that_are_no_utf8_are_refused(raw: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        loads(raw)


@pytest.mark.parametrize(("start", "end"), [("[", "]"), ('{"a":', "}"), ('[{"a":', "}]")])
@pytest.mark.parametrize("inside", ["1", '"x"'])
def test_the_levels_are_counted(start: str, end: str, inside: str) -> None:
    levels = MAX_DEPTH // (start.count("[") + start.count("{"))
    assert loads(start * levels + inside + end * levels) is not None
    for more in (levels + 1, 1000, 100_000):
        with pytest.raises(ValueError):  # noqa: PT011
            loads(start * more + inside + end * more)


def test_an_empty_list_or_object_counts_as_a_level() -> None:
    assert loads("[" * MAX_DEPTH + "]" * MAX_DEPTH) is not None
    with pytest.raises(ValueError, match="deep"):
        loads("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1))


def test_many_values_side_by_side_count_as_one_level() -> None:
    assert len(loads(json.dumps([[]] * 1000))) == 1000


def test_depth_is_found_in_every_branch() -> None:
    deep = "[" * MAX_DEPTH + "]" * MAX_DEPTH
    for text in (f"[1, {deep}]", f"[{deep}, 1]", f'{{"a": 1, "b": {deep}}}'):
        with pytest.raises(ValueError, match="deep"):
            loads(text)


def test_no_float_that_passes_is_infinite() -> None:
    assert math.isfinite(loads("1.7976931348623157e308"))
    with pytest.raises(ValueError, match="range"):
        loads("1.7976931348623159e308")
