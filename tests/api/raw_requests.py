"""Raw HTTP/1.1, right and wrong (RFC 9112): what is sent, and the statuses that must come.

After each of these comes LAST in the same write. So a request that the server reads to another end than it should
shows itself: its answer, or LAST's, is missing or is another one.
"""

LAST = b"GET /healthz HTTP/1.1\r\nHost: last\r\nConnection: close\r\n\r\n"
BODY = b'{"email":"a@example.com","password":"secret1"}'
#: `/healthz` answers 200; a body is read before `/nowhere` answers 404. A refusal closes the connection.
OK, READ, REFUSED = [200, 200], [404, 200], [400]

PLAIN = b"GET /healthz HTTP/1.1"
LENGTH = b"Content-Length: %d" % len(BODY)
CHUNKED = b"Transfer-Encoding: chunked"
#: A WebSocket handshake's headers.
UPGRADE, CONNECTION, VERSION = b"Upgrade: websocket", b"Connection: Upgrade", b"Sec-WebSocket-Version: 13"
KEY = b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="


def get(line: bytes = PLAIN, *headers: bytes, host: bytes | None = b"Host: x") -> bytes:
    return b"\r\n".join([line, *([host] if host is not None else []), *headers, b"", b""])


def post(*headers: bytes, body: bytes = BODY) -> bytes:
    return get(b"POST /nowhere HTTP/1.1", b"Content-Type: application/json", *headers) + body


def chunk(data: bytes = BODY, size: bytes = b"%x") -> bytes:
    return (size % len(data) if b"%" in size else size) + b"\r\n" + data + b"\r\n"


def chunks(*parts: bytes, end: bytes = b"0\r\n\r\n") -> bytes:
    return post(CHUNKED, body=b"".join(parts) + end)


def encoded(*headers: bytes) -> bytes:
    return post(*headers, body=chunk() + b"0\r\n\r\n")


def handshake(*headers: bytes, line: bytes = b"GET /ws HTTP/1.1") -> bytes:
    return get(line, *headers)


REQUEST_LINES = {
    "a plain request": (get(), OK),
    "empty lines before it": (b"\r\n\r\n" + get(), OK),
    "two spaces": (get(b"GET  /healthz HTTP/1.1"), OK),
    "an absolute URL": (get(b"GET http://x/healthz HTTP/1.1"), OK),
    "a fragment": (get(b"GET /healthz#a HTTP/1.1"), OK),
    "segments of dots": (get(b"GET /../../etc/passwd HTTP/1.1"), READ),
    "an encoded NUL": (get(b"GET /%2e%2e/%00 HTTP/1.1"), READ),
    "a percent sign alone": (get(b"GET /%zz HTTP/1.1"), READ),
    "a long path": (get(b"GET /" + b"a" * 60_000 + b" HTTP/1.1"), READ),
    "the server as a whole": (get(b"OPTIONS * HTTP/1.1"), READ),
    "a method that the route has not": (get(b"DELETE /healthz HTTP/1.1"), [405, 200]),
    "TRACE": (get(b"TRACE /healthz HTTP/1.1"), [405, 200]),
    "HTTP/1.0": (get(b"GET /healthz HTTP/1.0"), [200]),  # without keep-alive
    "HTTP/1.0 without a host": (get(b"GET /healthz HTTP/1.0", host=None), [200]),
    "no version": (b"GET /healthz\r\n\r\n", REFUSED),
    **{
        f"HTTP/{version}": (get(f"GET /healthz HTTP/{version}".encode()), REFUSED)
        for version in ("0.9", "1.2", "2.0", "3")
    },
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", REFUSED),
    "http in small letters": (get(b"GET /healthz http/1.1"), REFUSED),
    "a method in small letters": (get(b"get /healthz HTTP/1.1"), REFUSED),
    "an unknown method": (get(b"BREW /healthz HTTP/1.1"), REFUSED),
    "CONNECT": (get(b"CONNECT x:443 HTTP/1.1"), REFUSED),
    "a tab": (get(b"GET\t/healthz HTTP/1.1"), REFUSED),
    "a space before it": (b" " + get(), REFUSED),
    "a space in the path": (get(b"GET /heal thz HTTP/1.1"), REFUSED),
    "a NUL in the path": (get(b"GET /heal\0thz HTTP/1.1"), REFUSED),
    "a letter that is not ASCII": (get("GET /é HTTP/1.1".encode()), REFUSED),
    "a path without a slash": (get(b"GET healthz HTTP/1.1"), REFUSED),
    "line feeds alone": (get().replace(b"\r\n", b"\n"), REFUSED),
    "TLS": (bytes.fromhex("16030100a5010000a10303"), REFUSED),
}
HEADERS = {
    "500 headers": (get(PLAIN, *(b"X-%d: y" % each for each in range(500))), OK),
    "a head of 63 KB": (get(PLAIN, b"X: " + b"a" * 63_000), OK),
    "a head of 66 KB": (get(PLAIN, b"X: " + b"a" * 66_000), [431]),
    "values that are not ASCII": (get(PLAIN, "X: é".encode(), b"Authorization: \xe9\xff"), OK),
    "an empty host": (get(host=b"Host:"), OK),
    "no host": (get(host=None), REFUSED),
    "two hosts": (get(PLAIN, b"Host: y"), REFUSED),
    "the same host twice": (get(PLAIN, b"Host: x"), REFUSED),
    "a space in the host": (get(host=b"Host: a b"), REFUSED),
    "a path in the host": (get(host=b"Host: a/b"), REFUSED),
    "a user in the host": (get(host=b"Host: a@b"), REFUSED),
    "a space before the colon": (get(PLAIN, b"X : a"), REFUSED),
    "no colon": (get(PLAIN, b"Xa"), REFUSED),
    "no name": (get(PLAIN, b": a"), REFUSED),
    "a bracket in a name": (get(PLAIN, b"X(y): a"), REFUSED),
    "a name that is not ASCII": (get(PLAIN, "é: a".encode()), REFUSED),
    "a NUL in a value": (get(PLAIN, b"X: a\0b"), REFUSED),
    "a control character in a value": (get(PLAIN, b"X: a\x01b"), REFUSED),
    "a carriage return in a value": (get(PLAIN, b"X: a\rb"), REFUSED),
    "a value on two lines": (get(PLAIN, b"X: a", b" b"), REFUSED),
    "a first line that goes on": (get(PLAIN, b" b", host=None), REFUSED),
}
BODIES = {
    "a length": (post(LENGTH), READ),
    "a body that nobody asked for": (get(PLAIN, b"Content-Length: 3") + b"abc", OK),
    "a length twice": (post(LENGTH, LENGTH), REFUSED),
    "two lengths": (post(LENGTH, b"Content-Length: 5"), REFUSED),
    **{
        f"the length {value!r}": (post(b"Content-Length: " + value.encode()), REFUSED)
        for value in ("-5", "+46", "0x2e", "46, 46", "4 6", "", "1e1", "9" * 30)
    },
    "a length and chunks": (encoded(LENGTH, CHUNKED), REFUSED),
    "chunks and a length": (encoded(CHUNKED, LENGTH), REFUSED),
    "a chunk": (chunks(chunk()), READ),
    "two chunks": (chunks(chunk(BODY[:9]), chunk(BODY[9:])), READ),
    "CHUNKED": (encoded(b"Transfer-Encoding: CHUNKED"), READ),
    "no chunks": (chunks(), READ),
    "a chunk with an extension": (chunks(chunk(size=b"%x;a=b")), READ),
    "chunks with a trailer": (chunks(chunk(), end=b"0\r\nX: y\r\n\r\n"), READ),
    "a trailer with a length": (chunks(chunk(), end=b"0\r\nContent-Length: 5\r\n\r\n"), REFUSED),
    "chunked twice": (encoded(CHUNKED, CHUNKED), REFUSED),
    **{
        f"the coding {value!r}": (encoded(b"Transfer-Encoding: " + value.encode()), REFUSED)
        for value in ("gzip, chunked", "chunked, gzip", "chunked, chunked", "xchunked", "identity", "\x0bchunked", "")
    },
    "gzip alone": (post(b"Transfer-Encoding: gzip", body=b""), REFUSED),
    "a space after the coding's name": (encoded(b"Transfer-Encoding : chunked"), REFUSED),
    "a chunk too few": (chunks(chunk(size=b"5")), REFUSED),
    **{
        f"a chunk's size {size!r}": (chunks(chunk(size=size)), REFUSED)
        for size in (b"-1", b"0x2e", b"zz", b"", b"+2e", b" 2e", b"2e ", b"2_e", b"f" * 17)
    },
    "a line feed in an extension": (chunks(chunk(size=b"2e;a\nb")), REFUSED),
    "a chunk without its end": (chunks(b"2e\r\n" + BODY), REFUSED),
    "chunks with line feeds alone": (chunks(b"2e\n" + BODY + b"\n", end=b"0\n\n"), REFUSED),
    "100-continue": (post(LENGTH, b"Expect: 100-continue"), [100, *READ]),
    "another expectation": (post(LENGTH, b"Expect: 200-ok"), READ),
}
PIPELINES = {
    "three requests": (get() + get(), [200, *OK]),
    "a body, then a request": (post(LENGTH) + get(), [404, *OK]),
    "chunks, then a request": (chunks(chunk()) + get(), [404, *OK]),
    # The answers to the good ones come first.
    "a request, then none": (get() + b"\x16\x03\x01\r\n\r\n", [200, 400]),
    "two requests, then one of two lengths": (get() + get() + post(LENGTH, b"Content-Length: 5"), [*OK, 400]),
    "a request, then one without a host": (get() + get(host=None), [200, 400]),
}
HANDSHAKES = {
    "no upgrade": (handshake(), READ),
    "an upgrade that the connection does not name": (handshake(UPGRADE, KEY, VERSION), READ),
    "an unknown path": (handshake(UPGRADE, CONNECTION, KEY, VERSION, line=b"GET /nowhere HTTP/1.1"), [403]),
    "POST": (handshake(UPGRADE, CONNECTION, KEY, VERSION, b"Content-Length: 0", line=b"POST /ws HTTP/1.1"), [405]),
    "HTTP/1.0": (handshake(UPGRADE, CONNECTION, KEY, VERSION, line=b"GET /ws HTTP/1.0"), REFUSED),
    "no key": (handshake(UPGRADE, CONNECTION, VERSION), REFUSED),
    "a short key": (handshake(UPGRADE, CONNECTION, VERSION, b"Sec-WebSocket-Key: short"), REFUSED),
    "two keys": (handshake(UPGRADE, CONNECTION, VERSION, KEY, KEY), REFUSED),
    "version 8": (handshake(UPGRADE, CONNECTION, KEY, b"Sec-WebSocket-Version: 8"), [426]),
    "version 8 where there is no socket": (
        handshake(UPGRADE, CONNECTION, KEY, b"Sec-WebSocket-Version: 8", line=b"GET /api/v2 HTTP/1.1"),
        [426],
    ),
    "two versions": (handshake(UPGRADE, CONNECTION, KEY, VERSION, b"Sec-WebSocket-Version: 8"), REFUSED),
    "no version": (handshake(UPGRADE, CONNECTION, KEY), REFUSED),
    "a body": (handshake(UPGRADE, CONNECTION, KEY, VERSION, b"Content-Length: 3") + b"abc", REFUSED),
    "a subprotocol without a name": (
        handshake(UPGRADE, CONNECTION, KEY, VERSION, b"Sec-WebSocket-Protocol: ,"),
        REFUSED,
    ),
    "a header of 9 KB": (handshake(UPGRADE, CONNECTION, KEY, VERSION, b"X: " + b"a" * 9000), REFUSED),
}
#: By what they are about, all but HANDSHAKES.
ROWS = {
    f"{about}: {name}": row
    for about, rows in {
        "request line": REQUEST_LINES,
        "headers": HEADERS,
        "body": BODIES,
        "pipeline": PIPELINES,
    }.items()
    for name, row in rows.items()
}
