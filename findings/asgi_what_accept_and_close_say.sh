#!/usr/bin/env bash
# daphne 4.2.3 and granian 2.8.7 beside uvicorn 0.54.0; Python 3.11; seen on 2026-11-28.
#
# ASGI lets `websocket.accept` carry headers, `websocket.close` a reason, and `websocket.send` an empty text. None of the
# servers refuses any of them, but daphne drops all three without a word, and granian the headers. A client of the one then
# misses what a client of the other is told; the application cannot tell.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  granian==2.8.7 daphne==4.2.3 uvicorn==0.54.0 websockets==17.4

cat > "$folder/seen" << 'END'
daphne: header None; texts ['full']; closed with 4000 ''
uvicorn: header 'physics'; texts ['', 'full']; closed with 4000 'the lesson is over'
granian: header None; texts ['', 'full']; closed with 4000 'the lesson is over'
END

cat > "$folder/app.py" << 'END'
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept", "headers": [(b"x-lesson", b"physics")]})
    await send({"type": "websocket.send", "text": ""})
    await send({"type": "websocket.send", "text": "full"})
    await send({"type": "websocket.close", "code": 4000, "reason": "the lesson is over"})
    await receive()
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


for name, command in SERVERS.items():
    port = str(free_port())
    arguments = [part.format(port=port) for part in command[1:]]
    with (FOLDER / f"{name}.log").open("w") as output:
        running = subprocess.Popen(
            [FOLDER / "venv" / "bin" / command[0], *arguments], cwd=FOLDER, stdout=output, stderr=output
        )
    try:
        with dial(port) as client:
            header, texts = client.response.headers.get("x-lesson"), []
            try:
                while True:
                    texts.append(client.recv(timeout=10))
            except ConnectionClosed as closed:
                end = closed.rcvd
    finally:
        running.terminate()
        running.wait()
    print(f"{name}: header {header!r}; texts {texts}; closed with {end.code} {end.reason!r}")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
