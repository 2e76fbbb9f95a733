#!/usr/bin/env bash
# channels-redis 4.3.0 with channels 4.3.2 and redis 8.1.0; redis-server 7.0.15, Python 3.11; seen on 2026-11-28.
#
# `await layer.receive(channel)` under a time limit looks harmless: nothing came, so ask again. The pub/sub layer takes a
# `receive` that is cancelled for the end of its consumer and forgets the channel. What arrives before the next `receive`
# is lost without a word, and `group_add` says that the channel does not exist. Channels' own layer in memory keeps it.
#
# Needs: python3 with venv, redis-server.
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$(cat "$folder/redis.pid" 2> /dev/null)" 2> /dev/null || true; rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check channels-redis==4.3.0 channels==4.3.2 redis==8.1.0
redis-server --port 0 --unixsocket "$folder/redis.sock" --save '' --daemonize yes --pidfile "$folder/redis.pid" > "$folder/redis.log"

cat > "$folder/seen" << 'END'
InMemoryChannelLayer: heard 'one'; gave up; heard 'two'; group_add: fine
RedisPubSubChannelLayer: heard 'one'; gave up; heard nothing; group_add: RuntimeError
END

cat > "$folder/look.py" << 'END'
import asyncio
import sys

from channels.layers import InMemoryChannelLayer
from channels_redis.pubsub import RedisPubSubChannelLayer


async def look(layer):
    channel, other = await layer.new_channel(), await layer.new_channel()
    for member in (channel, other):
        await layer.group_add("lesson", member)

    async def hear(member, limit):
        async with asyncio.timeout(limit):
            return (await layer.receive(member))["text"]

    async def tell(text):
        """Returns when the other member has it, so that it has arrived in this process."""
        await layer.group_send("lesson", {"type": "told", "text": text})
        assert await hear(other, 10) == text

    await tell("one")
    heard = [f"heard {await hear(channel, 10)!r}"]
    try:
        await hear(channel, 0.2)
    except TimeoutError:
        heard.append("gave up")
    await tell("two")
    try:
        adding = "fine"
        await layer.group_add("lesson", channel)
    except RuntimeError as failure:
        adding = type(failure).__name__
    try:
        heard.append(f"heard {await hear(channel, 1)!r}")
    except TimeoutError:
        heard.append("heard nothing")
    print(f"{type(layer).__name__}: {'; '.join(heard)}; group_add: {adding}")


asyncio.run(look(InMemoryChannelLayer()))
asyncio.run(look(RedisPubSubChannelLayer(hosts=[f"unix://{sys.argv[1]}"])))
END

for _ in $(seq 100); do test -S "$folder/redis.sock" && break || sleep 0.1; done
"$folder/venv/bin/python" "$folder/look.py" "$folder/redis.sock" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
