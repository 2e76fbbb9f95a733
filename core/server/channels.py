"""Channels between workers: sockets of the system by which one worker hands connections to another."""

import asyncio
import socket
from collections.abc import AsyncGenerator


async def channels_to(listener: socket.socket) -> AsyncGenerator[socket.socket, None]:
    """The channels that other workers open to this one, until the task is cancelled. Closes the listener in the end."""
    loop = asyncio.get_running_loop()
    with listener:
        while True:
            try:
                channel, _ = await loop.sock_accept(listener)
            except OSError:
                await asyncio.sleep(1)  # no file descriptor is free; the other workers' connections wait
                continue
            channel.setblocking(False)
            yield channel
