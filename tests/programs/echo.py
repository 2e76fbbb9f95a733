"""A server that sends back every message, on this project's own protocols: for clients that try those.

`python -m tests.programs.echo --port 3000 [--deflate]`. It says where it listens, as `manage.py serve` does.
"""

import argparse
from typing import Any

import tests.support.environment  # noqa: F401  sets Django up, so it comes first
from core.server.process import Server
from core.server.serving import configuration, listen
from core.server.websocket_protocol import EXTENSION, text_frame

#: The longest message of the Autobahn test suite, bytes.
LONGEST = 16 * 1024 * 1024


class Echo:
    """The ASGI application. A WebSocket gets its messages back, a request an empty answer.

    Text goes back as the live sessions send it, past the ASGI `send`, unless it may have to be compressed.
    """

    def __init__(self, *, deflate: bool) -> None:
        self.deflate = deflate

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await receive()
        if scope["type"] == "http":
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            if message.get("text") is not None and not self.deflate:
                scope["extensions"][EXTENSION].write(text_frame(message["text"]))
            else:
                await send({**message, "type": "websocket.send"})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--deflate", action="store_true", help="offer compression (RFC 7692), which `serve` does not")
    options = parser.parse_args()
    config = configuration("127.0.0.1", 1)
    config.app = Echo(deflate=options.deflate)
    config.lifespan = "off"
    config.ws_max_size, config.ws_per_message_deflate = LONGEST, options.deflate
    (listener,) = listen("127.0.0.1", options.port)
    port = listener.getsockname()[1]
    Server(config, lambda: print(f"Listening on http://127.0.0.1:{port}", flush=True)).run(sockets=[listener])


if __name__ == "__main__":
    main()
