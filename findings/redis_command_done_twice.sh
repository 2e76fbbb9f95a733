#!/usr/bin/env bash
# redis (redis-py) 8.1.0; redis-server 7.0.15, Python 3.11; seen on 2026-11-29.
#
# A connection may break after Redis has done a command, and before the client has the answer. One would expect a
# ConnectionError then, as from a database: the caller decides. redis-py sends the command again, on a new connection, and
# returns the second answer as if it were the first. So a counter counts twice, a queue loses an entry that nobody got, who
# holds a lock is told that somebody else has it, and a transaction (MULTI) is done twice. Both clients do so.
#
# Needs: python3 with venv, redis-server.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$(cat "$folder/redis.pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check redis==8.1.0
redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' --daemonize yes --pidfile "$folder/redis.pid" > "$folder/redis.log"

cat > "$folder/seen" << 'END'
redis.Redis: incr → 2; rpush → 2; lpop → 'two'; set if not there → None, it is 'mine'; transaction with incr → [2]
redis.asyncio.Redis: incr → 2; rpush → 2; lpop → 'two'; set if not there → None, it is 'mine'; transaction with incr → [2]
redis.Redis, retry of 0: incr → ConnectionError, it is '1'
END

cat > "$folder/look.py" << 'END'
import asyncio
import inspect
import select
import socket
import sys
import threading

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

ADDRESS = sys.argv[1]
direct = redis.Redis(unix_socket_path=ADDRESS, decode_responses=True)


def proxy(command):
    """The port of a proxy that loses the first answer to `command`, and the connection with it."""
    listener = socket.create_server(("127.0.0.1", 0))
    lost = threading.Event()

    def carry(client):
        with client, socket.socket(socket.AF_UNIX) as server:
            server.connect(ADDRESS)
            losing = False
            while True:
                for ready in select.select([client, server], [], [])[0]:
                    data = ready.recv(65536)
                    if not data or (losing and ready is server):
                        return
                    if ready is client and f"\r\n{command}\r\n".encode() in data and not lost.is_set():
                        lost.set()
                        losing = True
                    (server if ready is client else client).sendall(data)

    def accept():
        while True:
            threading.Thread(target=carry, args=(listener.accept()[0],), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


COMMANDS = {
    "incr": ("INCRBY", lambda client: client.incr("counter")),
    "rpush": ("RPUSH", lambda client: client.rpush("list", "mark")),
    "lpop": ("LPOP", lambda client: client.lpop("queue")),
    "set if not there": ("SET", lambda client: client.set("lock", "mine", nx=True)),
    "transaction with incr": ("EXEC", lambda client: client.pipeline(transaction=True).incr("counter").execute()),
}


async def answer(kind, name, **options):
    direct.flushall()
    direct.rpush("queue", "one", "two", "three")
    command, call = COMMANDS[name]
    client = kind(host="127.0.0.1", port=proxy(command), decode_responses=True, **options)
    try:
        found = call(client)
        return repr(await found if inspect.isawaitable(found) else found)
    except redis.ConnectionError:
        return f"ConnectionError, it is {direct.get('counter')!r}"


async def look():
    for kind in (redis.Redis, redis.asyncio.Redis):
        told = []
        for name in COMMANDS:
            told.append(f"{name} → {await answer(kind, name)}")
            if name == "set if not there":
                told[-1] += f", it is {direct.get('lock')!r}"
        print(f"{kind.__module__.removesuffix('.client')}.{kind.__name__}: {'; '.join(told)}")
    once = await answer(redis.Redis, "incr", retry=Retry(NoBackoff(), 0))
    print(f"redis.Redis, retry of 0: incr → {once}")


asyncio.run(look())
END

for _ in $(seq 100); do test -S "$folder/redis.sock" && break || sleep 0.1; done
"$folder/venv/bin/python" "$folder/look.py" "$folder/redis.sock" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
