"""`manage.py serve --lan`: HTTPS on the school's own network, with an authority that devices come to trust."""

import contextlib
import os
import pty
import re
import shutil
import socket
import ssl
import stat
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import zxingcpp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from PIL import Image

from core import certificates
from core.server.plain_http import MAX_REQUEST
from core.times import now
from tests.realtime.contract import marked
from tests.support.clients import Api, Room, Socket
from tests.support.database import Databases, environment_of, manage
from tests.support.lan import ADDRESS, HAS_IPV6, IPV6, LanServer, needs_network
from tests.support.processes import ROOT, START_LIMIT, free_port
from tests.support.redis import RedisServer
from tests.support.server import SERVE, Server, only_serve

pytestmark = [
    pytest.mark.long,
    needs_network,
    only_serve,
    pytest.mark.one_database("HTTPS as the server speaks it, whatever is behind the routes."),
]

LANGUAGES = {"en": "Trust this server", "de": "Diesem Server vertrauen", "ar": "ثق بهذا الخادم"}


@pytest.fixture(scope="module")
def lan(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    with LanServer(databases.fresh(), tmp_path_factory.mktemp("lan")) as running, running.clean_log():
        yield running


@pytest.fixture(scope="module")
def impatient(databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanServer]:
    folder = tmp_path_factory.mktemp("impatient")
    with LanServer(databases.fresh(), folder, REQUEST_TIMEOUT="1") as running, running.clean_log():
        yield running


@pytest.fixture
def room(lan: LanServer) -> Iterator[Room]:
    api = Api(lan.url, lan.trust)
    yield api.make_room(3)
    api.close()


@pytest.mark.parametrize("host", [ADDRESS, "127.0.0.1", "localhost", *(["[::1]"] if HAS_IPV6 else []), *IPV6])
def test_whoever_trusts_the_authority_is_served_by_every_name_of_the_machine(lan: LanServer, host: str) -> None:
    with lan.client() as http:
        assert http.get(f"https://{host}:{lan.port}/healthz").status_code == 200


def test_whoever_does_not_trust_it_is_not(lan: LanServer) -> None:
    with httpx.Client(verify=ssl.create_default_context(), trust_env=False) as http, pytest.raises(httpx.ConnectError):
        http.get(f"{lan.url}/healthz")


async def test_a_lesson_is_live_over_tls(lan: LanServer, room: Room) -> None:
    student, teacher = room.students[0], room.teacher
    async with (
        Socket(lan.ws_url, teacher.token, ssl=lan.trust) as marking,
        Socket(lan.ws_url, student.token, ssl=lan.trust) as hearing,
    ):
        # Transports that encrypt count what they have queued in another way: one mark after the other must come.
        for at in range(40):
            status = ("present", "absent")[at % 2]
            await marking.mark(student.id, status)
            assert await marking.frame() == await hearing.frame() == marked(student.id, status)


def test_cookies_stay_on_https_and_links_lead_to_the_network(lan: LanServer, room: Room) -> None:
    with lan.client() as http:
        page = http.get(f"https://localhost:{lan.port}/app/sign-in")
        assert all("Secure" in cookie for cookie in page.headers.get_list("Set-Cookie"))
        assert page.headers.get_list("Set-Cookie")
        session = room.teacher.data("GET", f"/api/v2/classes/{room.class_id}/sessions")["items"][0]["_id"]
        path = f"https://localhost:{lan.port}/api/v2/sessions/{session}/check-in"
        headers = {"Authorization": room.teacher.token}
        assert http.put(path, json={"mode": "rotating"}, headers=headers).status_code == 200
        code = http.get(f"{path}/code", headers=headers).json()["data"]
    assert code["url"].startswith(f"{lan.url}/app/check-in/")  # a phone cannot open the teacher's localhost


def plain(lan: LanServer, *parts: bytes) -> HTTPResponse:
    """The answer to a request that speaks no TLS, with each part sent by itself."""
    connection = socket.create_connection((str(ADDRESS), lan.port), timeout=START_LIMIT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for part in parts:
        connection.sendall(part)
    response = HTTPResponse(connection, method=parts[0].split(b" ")[0].decode())
    response.begin()
    connection.close()  # the response goes on having it
    return response


def test_plain_http_at_the_port_of_https_is_led_to_https(lan: LanServer) -> None:
    asked = b"GET /app/classes/?q=%22a&b HTTP/1.1\r\nHost: x\r\naccept-language: ar;q=1, en;q=0.1\r\n\r\n"
    for parts in ([asked], [asked[:1], asked[1:40], asked[40:-2], asked[-2:]]):
        answer = plain(lan, *parts)
        page = answer.read().decode()
        assert (answer.status, answer.headers["Connection"]) == (400, "close")
        assert f'<a href="{lan.url}/app/classes/?q=%22a&amp;b">' in page
        assert f'<a href="{lan.trust_url}/">' in page
        assert '<html lang="ar" dir="rtl">' in page
        assert "HTTPS" in page
        assert "speaks" not in page


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (b"HEAD /x HTTP/1.1\r\n\r\n", ""),
        (b"POST /auth/login HTTP/1.1\r\nContent-Length: 60000\r\n\r\n" + b"x" * 60_000, "/auth/login"),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", "/"),
        (b'GET /"><script> HTTP/1.1\r\n\r\n', "/&quot;&gt;&lt;script&gt;"),
        (b"GET /\xff HTTP/1.1\nHost: x\n\n", "/"),
        (b"GET /" + b"a" * 9000, "/"),
        (b"HELLO\r\n\r\n", "/"),
    ],
    ids=["head", "body", "proxy", "markup", "bytes", "long", "no http"],
)
def test_so_is_every_other_request_that_is_no_tls(lan: LanServer, request_: bytes, path: str) -> None:
    answer = plain(lan, request_)
    page = answer.read().decode()
    assert (answer.status, answer.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert f'href="{lan.url}{path}"' in page if path else page == ""


def test_who_sends_too_much_plain_http_is_cut_off(lan: LanServer) -> None:
    connection = socket.create_connection((str(ADDRESS), lan.port), timeout=START_LIMIT)
    with connection, pytest.raises(ConnectionError):  # noqa: PT012
        while True:
            connection.sendall(b"A" * MAX_REQUEST)


@pytest.mark.parametrize("begun", [b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\n\r\n"])
def test_who_does_not_come_to_an_end_is_cut_off(impatient: LanServer, begun: bytes) -> None:
    with socket.create_connection((str(ADDRESS), impatient.port), timeout=START_LIMIT) as connection:
        connection.sendall(begun)
        with contextlib.suppress(ConnectionError):
            while connection.recv(65536):
                pass


def test_commands_in_another_shell_print_addresses_that_work(lan: LanServer) -> None:
    beside = {"database": lan.database, "DATA_DIR": str(lan.folder)}
    invited = manage("invite", "teacher", "--print", "1", **beside)  # type: ignore[arg-type]
    link = invited.stdout.split()[0]
    assert (link.partition("/invitation/")[0], invited.stderr) == (lan.url, "")
    shown = manage("demo", **beside).stdout  # type: ignore[arg-type]
    assert f"Open https://localhost:{lan.port}/app/ on this machine, or {lan.url}/app/ on any device:" in shown
    with lan.client() as http:
        assert http.get(link).status_code == 200
    asking = re.search(r"^The teacher .*\n  (TOKEN=(?:.*\n)*?)  \S+ \S+ -m websockets", shown, re.MULTILINE)
    assert asking is not None
    done = subprocess.run(["bash", "-c", asking[1]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert '"success":true' in done.stdout, done
    listening = re.search(rf'^  SSL_CERT_FILE={lan.authority} .* "wss://localhost:{lan.port}/ws', shown, re.MULTILINE)
    assert listening is not None


def test_a_form_of_the_servers_own_page_is_taken(lan: LanServer) -> None:
    with lan.client() as http:
        page = http.get("/app/sign-in")
        (token,) = set(re.findall(r'csrfmiddlewaretoken" value="(\w+)"', page.text))
        form = {"csrfmiddlewaretoken": token, "language": "de"}
        answer = http.post("/app/language", data=form, headers={"Referer": f"{lan.url}/app/sign-in"})
    assert answer.status_code == 302


def test_devices_get_the_certificate_without_https(lan: LanServer) -> None:
    answer = httpx.get(f"{lan.trust_url}/app/trust/certificate", trust_env=False)
    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    authority = x509.load_der_x509_certificate(answer.content)
    assert authority == x509.load_pem_x509_certificate(lan.authority.read_bytes())
    fingerprint = authority.fingerprint(hashes.SHA256()).hex(":").upper()
    page = httpx.get(f"{lan.trust_url}/app/trust", trust_env=False).text
    assert fingerprint in page
    said = re.sub(r"\s", "", lan.log_text())
    assert re.search(rf"fingerprint:{fingerprint[:47]}:?{fingerprint[48:]}", said)


def test_the_page_to_trust_sets_no_cookie_and_speaks_the_readers_language(lan: LanServer) -> None:
    for language, words in LANGUAGES.items():
        for ask in ({"headers": {"Accept-Language": language}}, {"params": {"language": language}}):
            answer = httpx.get(f"{lan.trust_url}/app/trust", trust_env=False, **ask)  # type: ignore[arg-type]
            assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
            assert f"<h1>{words}</h1>" in answer.text
            assert f'lang="{language}"' in answer.text
    assert httpx.get(f"{lan.trust_url}/app/trust?language=xx", trust_env=False).status_code == 200
    with lan.client() as http:
        assert http.get("/app/trust").status_code == 200


def test_without_https_there_is_nothing_else(lan: LanServer, room: Room) -> None:
    with httpx.Client(base_url=lan.trust_url, trust_env=False) as http:
        assert http.get("/").headers["Location"] == "/app/trust"
        for path in ("/app/", "/app/sign-in?next=%2Fapp%2F", "/class/my", "/healthz", "/socket.io/?EIO=4", "/ws"):
            answer = http.get(path, headers={"Authorization": room.teacher.token})
            assert (answer.status_code, answer.headers["Location"]) == (307, f"{lan.url}{path}")
        style = re.search(r'href="(/app/files/[^"]+\.css)"', http.get("/app/trust").text)
        assert style is not None
        assert http.get(style[1]).status_code == 200
        for method in ("POST", "PUT", "DELETE", "OPTIONS"):
            assert http.request(method, "/auth/login", json={}).status_code == 403
        assert http.post("/app/language", data={"language": "de"}).status_code == 403
        upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
        key = {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}
        assert http.get(f"/ws?token={room.teacher.token}", headers={**upgrade, **key}).status_code == 403
        forwarded = http.get("/class/my", headers={"X-Forwarded-Proto": "https", "Authorization": room.teacher.token})
        assert forwarded.status_code == 307


def test_keys_are_their_owners_alone(lan: LanServer) -> None:
    folder = lan.authority.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {file.name: stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {
        "authority.pem": 0o600,
        "authority.crt": 0o600,
        "server.pem": 0o600,
    }
    assert b"PRIVATE" not in lan.authority.read_bytes()


def test_another_start_has_the_same_authority_and_the_same_certificate(databases: Databases, tmp_path: Path) -> None:
    seen = []
    for _ in range(2):
        with LanServer(databases.fresh(), tmp_path) as server:
            seen.append({file.name: file.read_bytes() for file in server.authority.parent.iterdir()})
    assert seen[0] == seen[1]


def test_a_certificate_that_ends_soon_is_replaced_at_the_start(databases: Databases, tmp_path: Path) -> None:
    with LanServer(databases.fresh(), tmp_path) as server:
        trust = server.trust
    file = tmp_path / "lan" / "server.pem"
    authority = certificates.read((tmp_path / "lan" / "authority.pem").read_bytes())
    old = certificates.make_server(
        authority, names=["localhost"], addresses=[], now=now() - certificates.LIFETIME + certificates.CLOCKS_BEHIND * 5
    )
    for content in (old.pem, b"", b"nonsense"):
        file.write_bytes(content)
        with LanServer(databases.fresh(), tmp_path) as server, httpx.Client(verify=trust, trust_env=False) as http:
            assert http.get(f"{server.url}/healthz").status_code == 200
        assert file.read_bytes() != content


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="needs redis-server")
async def test_several_workers_share_the_port_and_socketio_finds_its_worker(
    databases: Databases, tmp_path: Path
) -> None:
    with (
        RedisServer() as redis,
        LanServer(databases.fresh(), tmp_path, "--workers", "2", REDIS_URL=redis.url, LIMITS="False") as server,
    ):
        api = Api(server.url, server.trust)
        room = api.make_room(2)
        async with contextlib.AsyncExitStack() as stack:
            sockets = [
                await stack.enter_async_context(Socket(server.ws_url, room.teacher.token, ssl=server.trust))
                for _ in range(6)
            ]
            await sockets[0].mark(room.students[0].id)
            for socket in sockets:
                assert await socket.frame() == marked(room.students[0].id, "present")
        # Each poll on a connection of its own, so that some come to the worker that does not know the client.
        socketio = f"/socket.io/?EIO=4&transport=polling&token={room.teacher.token}"
        sid = re.search(r'"sid":"([^"]+)"', api.http.get(socketio).text)
        assert sid is not None
        for _ in range(12):
            with server.client() as http:
                assert http.post(f"{socketio}&sid={sid[1]}", content="3").text == "OK"
        assert httpx.get(f"{server.trust_url}/app/trust", trust_env=False).status_code == 200
        api.close()
        assert server.stop() == 0
        server.assert_clean()


def serve(tmp_path: Path, databases: Databases, **environment: str) -> subprocess.CompletedProcess[str]:
    """A server that does not come to serve."""
    ports = {"PORT": str(free_port()), "TRUST_PORT": str(free_port())}
    asked = {name: value for name, value in {**ports, **environment}.items() if value}
    return subprocess.run(
        [*SERVE, "--lan"],
        cwd=ROOT,
        env=environment_of(databases.fresh(), {"DATA_DIR": str(tmp_path), **asked}),
        capture_output=True,
        text=True,
        timeout=START_LIMIT,
        check=False,
    )


def refusal(tmp_path: Path, databases: Databases, **environment: str) -> str:
    """The one line that such a server says."""
    done = serve(tmp_path, databases, **environment)
    (line,) = done.stderr.strip().splitlines()[-1:]
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    return line


def test_a_proxys_address_does_not_go_together_with_it(tmp_path: Path, databases: Databases) -> None:
    line = refusal(tmp_path, databases, PUBLIC_URL="https://attendance.school.example")
    assert line == (
        "CommandError: LAN and PUBLIC_URL=https://attendance.school.example do not go together: with LAN this server"
        " does HTTPS itself, by its own address. Leave one of them out."
    )
    assert not (tmp_path / "lan").exists()


def test_two_ports_that_cannot_be_are_told(tmp_path: Path, databases: Databases) -> None:
    port = str(free_port())
    line = refusal(tmp_path, databases, PORT=port, TRUST_PORT=port)
    assert line == f"CommandError: PORT and TRUST_PORT are both {port}. Set TRUST_PORT to another."
    line = refusal(tmp_path, databases, PORT="65535", TRUST_PORT="")
    assert line == (
        "CommandError: PORT is 65535, and there is no next port for plain HTTP. Set TRUST_PORT, or another PORT."
    )


def test_hosts_that_let_nobody_in_are_told(tmp_path: Path, databases: Databases) -> None:
    line = refusal(tmp_path, databases, ALLOWED_HOSTS="localhost")
    assert line == f"CommandError: ALLOWED_HOSTS lets nobody in from the network. Add {ADDRESS} to it."


@pytest.mark.parametrize("lost", ["nonsense", "key", "gone"])
def test_an_authority_that_is_lost_is_never_replaced_silently(tmp_path: Path, databases: Databases, lost: str) -> None:
    with LanServer(databases.fresh(), tmp_path):
        pass
    file = tmp_path / "lan" / "authority.pem"
    if lost == "gone":
        file.unlink()
    elif lost == "key":
        file.write_bytes(
            file.read_bytes().split(b"-----BEGIN CERT")[0] + (tmp_path / "lan/server.pem").read_bytes()[-700:]
        )
    else:
        file.write_text(lost)
    before = {each.name: each.read_bytes() for each in file.parent.iterdir()}
    line = refusal(tmp_path, databases)
    assert line.startswith(f"CommandError: {file} is ")
    assert "the next start makes another authority" in line
    assert {each.name: each.read_bytes() for each in file.parent.iterdir()} == before


def test_an_address_for_which_the_authority_was_not_made_is_told(tmp_path: Path, databases: Databases) -> None:
    made = certificates.make_authority(name="School", names=[], addresses=[], now=now())
    (tmp_path / "lan").mkdir()
    (tmp_path / "lan" / "authority.pem").write_bytes(made.pem)
    done = refusal(tmp_path, databases, ALLOWED_HOSTS="attendance.school.example")
    assert f"The authority in {tmp_path / 'lan'} may not vouch for attendance.school.example" in done


def test_in_a_terminal_the_address_is_a_picture_too(databases: Databases, tmp_path: Path) -> None:
    master, slave = pty.openpty()
    port, trust_port = free_port(), free_port()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "serve", "--lan", "--port", str(port)],
        cwd=ROOT,
        env=environment_of(
            databases.fresh(),
            {"DATA_DIR": str(tmp_path), "TRUST_PORT": str(trust_port), "PYTHONIOENCODING": "utf-8"},
        ),
        stdin=slave,
        stdout=slave,
        stderr=subprocess.DEVNULL,
    )
    os.close(slave)
    try:
        said = b""
        while not re.search(rb"fingerprint(.|\n)*\r\n\r\n", said):
            said += os.read(master, 65536)
        assert _read_picture(said.decode()) == f"http://{ADDRESS}:{trust_port}"
    finally:
        process.terminate()
        process.wait(START_LIMIT)
        os.close(master)


def _read_picture(text: str) -> str:
    """What a camera reads from a terminal whose letters are light."""
    lines = [line for line in text.splitlines() if line and set(line) <= set(" ▀▄█")]
    picture = Image.new("L", (len(lines[0]), 2 * len(lines)))
    for row, line in enumerate(lines):
        for column, letter in enumerate(line):
            picture.putpixel((column, 2 * row), 255 * (letter in "▀█"))
            picture.putpixel((column, 2 * row + 1), 255 * (letter in "▄█"))
    (found,) = zxingcpp.read_barcodes(picture.resize((8 * picture.width, 8 * picture.height), Image.Resampling.NEAREST))
    return str(found.text)


def test_without_it_the_server_speaks_http_and_has_no_such_page(databases: Databases) -> None:
    with Server(databases.fresh()) as server:
        assert httpx.get(f"{server.url}/app/trust", trust_env=False).status_code == 404
        assert urlsplit(server.url).scheme == "http"
