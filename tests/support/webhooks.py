"""A real receiver of webhooks on a port of its own."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Thread
from typing import Any


class Receiver:
    """A web server that keeps what it is sent, and answers as it is told."""

    def __init__(self) -> None:
        self.got: list[tuple[dict[str, str], bytes]] = []
        self.status = 204
        self._came: Queue[dict[str, Any]] = Queue()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append((dict(self.headers.items()), body))
                self.send_response(outer.status)
                if outer.status == 302:
                    self.send_header("Location", f"{outer.url}elsewhere")
                self.end_headers()
                outer._came.put(json.loads(body))

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base's name
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next(self, limit: float = 60) -> dict[str, Any]:
        """The next event, in the order of their coming. Waits for it; `queue.Empty` after so many seconds."""
        return self._came.get(timeout=limit)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.got]
