#!/usr/bin/env bash
# python-socketio 5.18.1 with python-engineio 4.15.1, under uvicorn 0.54.0; Python 3.11; seen on 2026-11-28.
#
# A `connect` handler that raises (the database is away, say) looks like one that refuses. It is neither a yes nor a no: the
# client gets no answer at all while pings go on, so no client tries again. It stays in the namespace's room meanwhile, and
# hears what `emit` tells everybody, though nobody has let it in. Only ConnectionRefusedError and False refuse.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  python-socketio==5.18.1 python-engineio==4.15.1 uvicorn==0.54.0 websockets==17.4

cat > "$folder/seen" << 'END'
the handler returns: 40{"sid":…}
the handler raises ConnectionRefusedError: 44{"message":"not today"}
the handler returns False: 44{"message":"Connection rejected by server"}
the handler raises LookupError: 3 pings and no answer
what emit tells everybody then: 42["marked","Asha"]
END

cat > "$folder/look.py" << 'END'
import asyncio
import json
import logging
import re
import socket

import socketio
import uvicorn
from websockets.asyncio.client import connect as dial

logging.disable(logging.CRITICAL)  # python-socketio logs the handler's traceback
server = socketio.AsyncServer(async_mode="asgi", ping_interval=1)


@server.event
async def connect(sid, environ, auth):
    if auth["handler"] == "raises ConnectionRefusedError":
        raise socketio.exceptions.ConnectionRefusedError("not today")
    if auth["handler"] == "raises LookupError":
        raise LookupError("the database is away")
    return auth["handler"] != "returns False"


async def answer(client, handler):
    """The packet that answers a CONNECT; "2" and "3" are Engine.IO's ping and pong."""
    await client.recv()
    await client.send("40" + json.dumps({"handler": handler}))
    for _ in range(3):
        packet = await client.recv()
        if packet != "2":
            return re.sub(r'"sid":"[^"]*"', '"sid":…', packet)
        await client.send("3")
    return "3 pings and no answer"


async def look():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    web = uvicorn.Server(uvicorn.Config(socketio.ASGIApp(server), log_level="critical", lifespan="off"))
    serving = asyncio.create_task(web.serve([listener]))
    while not web.started:
        await asyncio.sleep(0.05)
    url = f"ws://127.0.0.1:{listener.getsockname()[1]}/socket.io/?EIO=4&transport=websocket"
    for handler in ("returns", "raises ConnectionRefusedError", "returns False", "raises LookupError"):
        async with dial(url) as client:
            print(f"the handler {handler}: {await answer(client, handler)}")
            if handler == "raises LookupError":
                await server.emit("marked", "Asha")
                print(f"what emit tells everybody then: {await asyncio.wait_for(client.recv(), 0.5)}")
    web.should_exit = True
    await serving


asyncio.run(look())
END

"$folder/venv/bin/python" "$folder/look.py" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
