"""Raw WebSocket frames, right and wrong (RFC 6455): what a client sends, and what must come back.

The server answers each message of ours with an ERROR, for it is no event. So what it takes for a message can be heard.
"""

from typing import NamedTuple

#: Opcodes with the FIN bit, and the same frames as the first of several.
TEXT, BINARY, CONTINUATION, CLOSE, PING, PONG = 0x81, 0x82, 0x80, 0x88, 0x89, 0x8A
BEGIN_TEXT, BEGIN_BINARY, GO_ON = 0x01, 0x02, 0x00
KEY = b"\x1f\x02\xa3\x44"


class Row(NamedTuple):
    """What is sent on an open socket; the pongs (bytes) and answers (MESSAGE) that come; the close's code.

    `code` None: nothing is wrong, and the socket stays open.
    """

    sent: bytes
    heard: list[bytes | str]
    code: int | None


MESSAGE = "an ERROR"


def frame(first: int, payload: bytes = b"", *, masked: bool = True, length: bytes | None = None) -> bytes:
    """A frame as a client sends it. `length` stands for the bytes in which the length is told."""
    mask = 0x80 if masked else 0
    if length is None:
        if len(payload) < 126:
            length = bytes([len(payload)])
        elif len(payload) < 65536:
            length = b"\x7e" + len(payload).to_bytes(2)
        else:
            length = b"\x7f" + len(payload).to_bytes(8)
    length = bytes([mask | length[0]]) + length[1:]
    if masked:
        payload = KEY + bytes(byte ^ KEY[at % 4] for at, byte in enumerate(payload))
    return bytes([first]) + length + payload


def close(code: int, reason: bytes = b"") -> bytes:
    return frame(CLOSE, code.to_bytes(2) + reason)


def fine(sent: bytes, *heard: bytes | str) -> Row:
    return Row(sent, list(heard), None)


def wrong(sent: bytes, *heard: bytes | str, code: int = 1002) -> Row:
    return Row(sent, list(heard), code)


EURO = "€".encode()
SURROGATE, OVERLONG, BEYOND = b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"

ROWS = {
    # Messages
    "a text": fine(frame(TEXT, b"x"), MESSAGE),
    "an empty text": fine(frame(TEXT), MESSAGE),
    "a binary message": fine(frame(BINARY, b"\xff\0"), MESSAGE),
    "125 bytes": fine(frame(TEXT, b"x" * 125), MESSAGE),
    "126 bytes": fine(frame(TEXT, b"x" * 126), MESSAGE),
    "as long as may be": fine(frame(TEXT, b"x" * 65536), MESSAGE),
    "a byte longer": wrong(frame(TEXT, b"x" * 65537), code=1009),
    "a byte longer in two frames": wrong(frame(BEGIN_TEXT, b"x" * 65536) + frame(CONTINUATION, b"x"), code=1009),
    "a length of which nothing follows": wrong(frame(BINARY, length=b"\x7f" + (2**62).to_bytes(8)), code=1009),
    "a length with its first bit": wrong(frame(BINARY, length=b"\x7f" + b"\xff" * 8), code=1009),
    "a length in more bytes than it needs": fine(frame(TEXT, b"x", length=b"\x7e\0\x01"), MESSAGE),
    "three messages in one write": fine(frame(TEXT, b"x") * 3, MESSAGE, MESSAGE, MESSAGE),
    # Fragments
    "a text in three frames": fine(frame(BEGIN_TEXT, b"a") + frame(GO_ON, b"b") + frame(CONTINUATION, b"c"), MESSAGE),
    "fragments of nothing": fine(frame(BEGIN_TEXT) + frame(GO_ON) * 3 + frame(CONTINUATION), MESSAGE),
    "a thousand fragments": fine(frame(BEGIN_TEXT) + frame(GO_ON, b"x") * 1000 + frame(CONTINUATION), MESSAGE),
    "a ping between fragments": fine(
        frame(BEGIN_TEXT, b"a") + frame(PING, b"p") + frame(CONTINUATION, b"b"), b"p", MESSAGE
    ),
    "a continuation of nothing": wrong(frame(CONTINUATION, b"x")),
    "a first continuation of nothing": wrong(frame(GO_ON, b"x")),
    "a text within a text": wrong(frame(BEGIN_TEXT, b"a") + frame(TEXT, b"b")),
    "a binary begun within a text": wrong(frame(BEGIN_TEXT, b"a") + frame(BEGIN_BINARY, b"b")),
    "a continuation after the end": wrong(
        frame(BEGIN_TEXT, b"a") + frame(CONTINUATION, b"b") + frame(CONTINUATION, b"c")
    ),
    # Masks, reserved bits, opcodes
    "not masked": wrong(frame(TEXT, b"x", masked=False)),
    "a close that is not masked": wrong(frame(CLOSE, b"\x03\xe8", masked=False)),
    **{f"reserved bit {bit:#x}": wrong(frame(TEXT | bit, b"x")) for bit in (0x40, 0x20, 0x10, 0x70)},
    "a reserved bit in a ping": wrong(frame(PING | 0x40)),
    **{f"opcode {opcode:#x}": wrong(frame(0x80 | opcode, b"x")) for opcode in (3, 4, 5, 6, 7, 0xB, 0xC, 0xD, 0xE, 0xF)},
    # Pings and pongs
    "an empty ping": fine(frame(PING), b""),
    "a ping of 125 bytes": fine(frame(PING, b"\xff" * 125), b"\xff" * 125),
    "ten pings": fine(b"".join(frame(PING, b"%d" % each) for each in range(10)), *(b"%d" % each for each in range(10))),
    "a pong that nobody asked for": fine(frame(PONG, b"x") + frame(PING, b"p"), b"p"),
    "a ping that is too long": wrong(frame(PING, b"x" * 126)),
    "a pong that is too long": wrong(frame(PONG, b"x" * 126)),
    "a ping in fragments": wrong(frame(PING & 0x7F, b"x") + frame(CONTINUATION, b"x")),
    # UTF-8
    "a character in two frames": fine(frame(BEGIN_TEXT, EURO[:1]) + frame(CONTINUATION, EURO[1:]), MESSAGE),
    "not UTF-8": wrong(frame(TEXT, b"\xff\xfe"), code=1007),
    "half a character": wrong(frame(TEXT, EURO[:2]), code=1007),
    "a surrogate": wrong(frame(TEXT, SURROGATE), code=1007),
    "more bytes than a character needs": wrong(frame(TEXT, OVERLONG), code=1007),
    "beyond the last character": wrong(frame(TEXT, BEYOND), code=1007),
    "half a character, then another": wrong(frame(BEGIN_TEXT, EURO[:1]) + frame(CONTINUATION, b"x"), code=1007),
    "not UTF-8 in fragments": wrong(frame(BEGIN_TEXT, b"\xff") + frame(CONTINUATION, b"\xfe"), code=1007),
    # Closes
    **{
        f"close {code}": wrong(close(code), code=code)
        for code in (1000, 1001, 1003, 1007, 1011, 1014, 3000, 4000, 4999)
    },
    "a close without a code": wrong(frame(CLOSE), code=1005),
    "a close with a reason": wrong(close(1000, "adiós".encode()), code=1000),
    "a close with as long a reason as may be": wrong(close(1000, b"x" * 123), code=1000),
    "what comes after a close": wrong(close(1000) + frame(TEXT, b"x") + frame(PING, b"p"), code=1000),
    "two closes": wrong(close(1000) + close(1001), code=1000),
    **{
        f"close {code}, which nobody may send": wrong(close(code))
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)
    },
    "a close of one byte": wrong(frame(CLOSE, b"\x03")),
    "a close that is too long": wrong(close(1000, b"x" * 124)),
    "a close whose reason is not UTF-8": wrong(close(1000, b"\xff"), code=1007),
    "a close in fragments": wrong(frame(CLOSE & 0x7F, b"\x03\xe8")),
    # RFC 6455 lets it come there; websockets takes the message that it cuts for a fault.
    "a close within a text": wrong(frame(BEGIN_TEXT, b"a") + close(1000)),
    # Something else
    "another request": wrong(b"GET / HTTP/1.1\r\n\r\n"),
    # uvicorn decodes a text after the close behind it is answered.
    "not UTF-8, then a close": wrong(frame(TEXT, b"\xff\xfe") + close(1000), code=1000),
    "not UTF-8 three times": wrong(frame(TEXT, b"\xff\xfe") * 3, code=1007),
}
