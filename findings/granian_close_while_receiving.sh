#!/usr/bin/env bash
# granian 2.8.7 beside daphne 4.2.3 and uvicorn 0.54.0; Python 3.11; seen on 2026-11-28.
#
# An application that waits in `receive` and, from another task, sends `websocket.close` has closed the socket: daphne and
# uvicorn tell the client at once. Under granian `send` returns too, but the close frame waits until `receive` is over. The
# client stays connected for as long as it says nothing; its next message still reaches the application, and then it goes.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  granian==2.8.7 daphne==4.2.3 uvicorn==0.54.0 websockets==17.4

cat > "$folder/seen" << 'END'
daphne: close sent; client: closed with 4401; application: websocket.disconnect
uvicorn: close sent; client: closed with 4401; application: websocket.disconnect
granian: close sent; client: open 2 s later, says something, closed with 4401; application: websocket.receive
END

cat > "$folder/app.py" << 'END'
import asyncio


async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    receiving = asyncio.ensure_future(receive())
    await asyncio.sleep(0.1)  # so that `receive` waits when the close is sent
    await send({"type": "websocket.close", "code": 4401})
    print("close sent", flush=True)
    print("application:", (await receiving)["type"], flush=True)
END

cat > "$folder/look.py" << 'END'
import socket
import subprocess
import sys
import time
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

FOLDER = Path(sys.argv[1])
SERVERS = {
    "daphne": ["daphne", "--port", "{port}", "app:app"],
    "uvicorn": ["uvicorn", "--port", "{port}", "--lifespan", "off", "app:app"],
    "granian": ["granian", "--interface", "asginl", "--port", "{port}", "app:app"],
}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def dial(port):
    until = time.monotonic() + 30
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/")
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def what_the_client_sees(client):
    seen = []
    for limit in (2, 10):
        try:
            client.recv(timeout=limit)
        except TimeoutError:
            seen += [f"open {limit} s later", "says something"]
            client.send("Is anybody there?")
        except ConnectionClosed as closed:
            return ", ".join([*seen, f"closed with {closed.rcvd.code}"])
    return ", ".join(seen)


for name, command in SERVERS.items():
    port = str(free_port())
    log = FOLDER / f"{name}.log"
    arguments = [part.format(port=port) for part in command[1:]]
    with log.open("w") as output:
        running = subprocess.Popen(
            [FOLDER / "venv" / "bin" / command[0], *arguments], cwd=FOLDER, stdout=output, stderr=output
        )
    try:
        with dial(port) as client:
            told = what_the_client_sees(client)
        until = time.monotonic() + 10
        while "application:" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        running.terminate()
        running.wait()
    own = [line for line in log.read_text().splitlines() if line.startswith(("close sent", "application:"))]
    print(f"{name}: {own[0]}; client: {told}; {own[-1]}")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
