#!/usr/bin/env bash
# daphne 4.2.3 beside granian 2.8.7 and uvicorn 0.54.0; Python 3.11; seen on 2026-11-29.
#
# A limit on the size of messages keeps a client from sending too much. daphne's limit (`--websocket-max-message-size`, 1 MiB
# unless it is told otherwise) holds for what the application sends as well. `send` raises for a larger text, nothing is sent
# and the socket stays open, so a client that asked for a long answer waits for it for ever, and hears the next message.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  granian==2.8.7 daphne==4.2.3 uvicorn==0.54.0 websockets==17.4

cat > "$folder/seen" << 'END'
daphne: 1048576 characters come; 1048577 do not (PayloadExceededError); what is sent next comes
daphne with a limit of 2 MiB: 1048576 characters come; 1048577 come; what is sent next comes
uvicorn: 1048576 characters come; 1048577 come; what is sent next comes
granian: 1048576 characters come; 1048577 come; what is sent next comes
END

cat > "$folder/app.py" << 'END'
async def app(scope, receive, send):
    if scope["type"] != "websocket":
        return
    await receive()
    await send({"type": "websocket.accept"})
    for size in (1024 * 1024, 1024 * 1024 + 1):
        try:
            await send({"type": "websocket.send", "text": "x" * size})
        except Exception as failure:
            print("send raised", type(failure).__name__, flush=True)
    await send({"type": "websocket.send", "text": "next"})
    await receive()
END

cat > "$folder/look.py" << 'END'
import socket
import subprocess
import sys
import time
from pathlib import Path

from websockets.sync.client import connect

FOLDER = Path(sys.argv[1])
SERVERS = {
    "daphne": ["daphne", "--port", "{port}", "app:app"],
    "daphne with a limit of 2 MiB": [
        *("daphne", "--port", "{port}", "--websocket-max-message-size", "2097152"),
        *("--websocket-max-frame-size", "2097152", "app:app"),
    ],
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
            return connect(f"ws://127.0.0.1:{port}/", max_size=None)
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


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
            sizes = []
            while 4 not in sizes:
                sizes.append(len(client.recv(timeout=10)))
    finally:
        running.terminate()
        running.wait()
    raised = [line.split()[-1] for line in log.read_text().splitlines() if line.startswith("send raised")]
    large = "come" if 1048577 in sizes else f"do not ({', '.join(raised)})"
    first = "come" if 1048576 in sizes else "do not"
    print(f"{name}: 1048576 characters {first}; 1048577 {large}; what is sent next comes")
END

"$folder/venv/bin/python" "$folder/look.py" "$folder" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
