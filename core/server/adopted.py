"""A socket that this process was handed, or has made, becomes a connection of the event loop."""

import asyncio
import socket


async def adopt(plug: socket.socket, protocol: asyncio.Protocol) -> None:
    """Connects `protocol` to `plug`, which from now on closes with its transport, or is closed where that fails."""
    try:
        transport, _ = await asyncio.get_running_loop().connect_accepted_socket(lambda: protocol, plug)
    except BaseException:
        plug.close()
        raise
    # uvloop's transport takes the socket object over only now. One that was closed meanwhile has closed the descriptor,
    # whose number may be another connection's by the time that the object would close it a second time.
    if transport.is_closing() and type(transport).__module__.partition(".")[0] == "uvloop":
        plug.detach()
