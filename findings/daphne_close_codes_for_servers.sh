#!/usr/bin/env bash
# daphne 4.2.3 beside granian 2.8.7 and uvicorn 0.54.0; Python 3.11; seen on 2026-11-29.
#
# A server may close a WebSocket with 1001 (it goes away), 1008 (policy), 1011 (an error of its own), 1012 (restart) or 1013
# (try again later): those are the codes that RFC 6455 and IANA's register have for servers. daphne lets an application send
# 1000 and 3000 to 4999 alone, as a browser's `close()` does. `send` raises a plain Exception for all others, and sends no
# close: an application that only logs what closing raises leaves the client connected.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  granian==2.8.7 daphne==4.2.3 uvicorn==0.54.0 websockets==17.4

cat > "$folder/seen" << 'END'
daphne: closed with 1000 and 4000; still open after 1001, 1008, 1011, 1012 and 1013, with Exception
uvicorn: closed with 1000, 4000, 1001, 1008, 1011, 1012 and 1013
granian: closed with 1000, 4000, 1001, 1008, 1011, 1012 and 1013
END

cat > "$folder/app.py" << 'END'
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    try:
        await send({"type": "websocket.close", "code": int(scope["path"].strip("/"))})
    except Exception as failure:
        print("close raised", type(failure).__name__, flush=True)
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
CODES = (1000, 4000, 1001, 1008, 1011, 1012, 1013)
SERVERS = {
    "daphne": ["daphne", "--port", "{port}", "app:app"],
    "uvicorn": ["uvicorn", "--port", "{port}", "--lifespan", "off", "app:app"],
    "granian": ["granian", "--interface", "asginl", "--port", "{port}", "app:app"],
}


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def dial(port, path):
    until = time.monotonic() + 30
    while True:
        try:
            return connect(f"ws://127.0.0.1:{port}/{path}")
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


def listed(codes):
    return " and ".join(filter(None, [", ".join(map(str, codes[:-1])), str(codes[-1])]))


for name, command in SERVERS.items():
    port = str(free_port())
    log = FOLDER / f"{name}.log"
    arguments = [part.format(port=port) for part in command[1:]]
    with log.open("w") as output:
        running = subprocess.Popen(
            [FOLDER / "venv" / "bin" / command[0], *arguments], cwd=FOLDER, stdout=output, stderr=output
        )
    try:
        closed, left_open = [], []
        for code in CODES:
            with dial(port, code) as client:
                try:
                    client.recv(timeout=2)
                except TimeoutError:
                    left_open.append(code)
                except ConnectionClosed as end:
                    assert end.rcvd.code == code
                    closed.append(code)
    finally:
        running.terminate()
        running.wait()
    raised = sorted({line.split()[-1] for line in log.read_text().splitlines() if line.startswith("close raised")})
    more = f"; still open after {listed(left_open)}, with {', '.join(raised)}" if left_open else ""
    print(f"{name}: closed with {listed(closed)}{more}")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
