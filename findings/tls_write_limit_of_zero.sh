#!/usr/bin/env bash
# uvloop 0.23.0 and CPython 3.11's asyncio; seen on 2026-11-29.
#
# A transport with `set_write_buffer_limits(high=0)` pauses its protocol once something waits to be sent, and lets it go on
# once nothing waits. Over TLS neither loop does that: the protocol is paused with an empty buffer, before anything was
# written, and is never told to go on, though the connection is idle and open. With `high=1` all is as over a plain
# connection. So a server that writes only what the client takes at once works over ws, and stands still over wss.
#
# Needs: python3 with venv, openssl.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
  -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2> /dev/null
cat "$folder/key.pem" "$folder/certificate.pem" > "$folder/pair.pem"

cat > "$folder/seen" << 'END'
asyncio, plain, high=0: who has written nothing may write
asyncio, plain, high=1: who has written nothing may write
asyncio, TLS, high=0: who has written nothing is told to pause, for good
asyncio, TLS, high=1: who has written nothing may write
uvloop, plain, high=0: who has written nothing may write
uvloop, plain, high=1: who has written nothing may write
uvloop, TLS, high=0: who has written nothing is told to pause, for good
uvloop, TLS, high=1: who has written nothing may write
END

cat > "$folder/look.py" << 'END'
import asyncio
import ssl
import sys
from pathlib import Path

import uvloop

FOLDER = Path(sys.argv[1])


class Counting(asyncio.Protocol):
    """Notes when it is told to pause and to go on, and writes nothing."""

    def __init__(self, limit, paused):
        self.limit, self.paused = limit, paused

    def connection_made(self, transport):
        transport.set_write_buffer_limits(high=self.limit)

    def pause_writing(self):
        self.paused.append("pause")

    def resume_writing(self):
        self.paused.append("resume")


async def seen(limit, encrypted):
    loop, paused = asyncio.get_running_loop(), []
    served = client = None
    if encrypted:
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        served.load_cert_chain(FOLDER / "pair.pem")
        client = ssl.create_default_context(cafile=FOLDER / "pair.pem")
    protocols = []

    def make():
        protocols.append(Counting(limit, paused))
        return protocols[-1]

    server = await loop.create_server(make, "127.0.0.1", 0, ssl=served)
    port = server.sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=client, server_hostname="localhost" if encrypted else None
    )
    await asyncio.sleep(1)
    writer.close()
    server.close()
    return paused


for name, run in (("asyncio", asyncio.run), ("uvloop", uvloop.run)):
    for encrypted in (False, True):
        for limit in (0, 1):
            paused = run(seen(limit, encrypted))
            state = "may write" if paused[-1:] != ["pause"] else "is told to pause, for good"
            print(f"{name}, {'TLS' if encrypted else 'plain'}, high={limit}: who has written nothing {state}")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
