#!/usr/bin/env bash
# uvloop 0.23.0 beside CPython 3.11's asyncio; seen on 2026-11-29.
#
# asyncio's clock knows nanoseconds, and `call_later` never calls before its time. uvloop's clock, `loop.time()`, knows whole
# milliseconds alone, and it rounds each delay to the nearest one. So half of all timers are early, one of less than half a
# millisecond does not wait at all, and two that are rounded to one time are called in the order in which they were made. A
# coroutine that sleeps 0.4 ms until a deadline never sleeps: it spins.
#
# Needs: python3 with venv.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check uvloop==0.23.0

cat > "$folder/seen" << 'END'
asyncio: loop.time() is in parts of a millisecond
asyncio: call_later(0.0004) is early: never
asyncio: call_later(0.0014) is early: never
asyncio: 1.4 ms and then 0.6 ms are called as 0.6, 1.4
asyncio: sleeping 0.4 ms until 100 ms are over takes at most 250 turns
uvloop: loop.time() is in whole milliseconds
uvloop: call_later(0.0004) is early: mostly
uvloop: call_later(0.0014) is early: mostly
uvloop: 1.4 ms and then 0.6 ms are called as 1.4, 0.6
uvloop: sleeping 0.4 ms until 100 ms are over takes more than 1000 turns
END

cat > "$folder/look.py" << 'END'
import asyncio
from time import perf_counter, sleep

import uvloop


async def unit(loop):
    times = []
    for _ in range(20):
        sleep(0.0013)
        await asyncio.sleep(0)
        times.append(loop.time() * 1000)
    whole = all(abs(moment - round(moment)) < 1e-6 for moment in times)
    return "whole milliseconds" if whole else "parts of a millisecond"


async def early(loop, delay):
    count = 0
    for _ in range(200):
        called = loop.create_future()
        before = perf_counter()
        loop.call_later(delay, called.set_result, None)
        await called
        count += perf_counter() - before < delay
    return "never" if not count else "mostly" if count > 100 else "seldom"


async def order(loop):
    called = []
    for delay in (1.4, 0.6):
        loop.call_later(delay / 1000, called.append, str(delay))
    await asyncio.sleep(0.05)
    return ", ".join(called)


async def turns():
    count, until = 0, perf_counter() + 0.1
    while perf_counter() < until:
        await asyncio.sleep(0.0004)
        count += 1
    return "at most 250" if count <= 250 else "more than 1000" if count > 1000 else str(count)


async def look(name):
    loop = asyncio.get_running_loop()
    print(f"{name}: loop.time() is in {await unit(loop)}")
    for delay in (0.0004, 0.0014):
        print(f"{name}: call_later({delay}) is early: {await early(loop, delay)}")
    print(f"{name}: 1.4 ms and then 0.6 ms are called as {await order(loop)}")
    print(f"{name}: sleeping 0.4 ms until 100 ms are over takes {await turns()} turns")


asyncio.run(look("asyncio"))
uvloop.run(look("uvloop"))
END

"$folder/venv/bin/python" "$folder/look.py" > "$folder/found"
cat "$folder/found"
diff "$folder/seen" "$folder/found" > "$folder/changes" || { echo "CHANGED:"; cat "$folder/changes"; exit 1; }
