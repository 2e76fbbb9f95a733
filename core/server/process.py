"""uvicorn as `manage.py serve` runs it: in this process, or in several processes under a supervisor."""

import asyncio
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from functools import cached_property
from multiprocessing import parent_process
from typing import Any

import uvicorn
from django.conf import settings
from uvicorn.supervisors import multiprocess

from core import metrics
from core.server.garbage import Collector
from core.server.handover import Handover
from core.server.shutdown import stopping
from core.server.workers import this_worker, worker_ended

logger = logging.getLogger(__name__)

#: A server that is told to stop has this long to commit the marks on their way and to tell its clients, seconds.
COMMIT_LIMIT = 4
#: The clients then have this long to read what they are sent, before the server cuts them off, seconds.
LEAVE_LIMIT = 4
#: A thread that computes lets another one run after so long, seconds. A mark changes threads several times, and waits
#: at each change for the threads of requests. Five times shorter than Python's own, it halves the marks' time beside a
#: class that checks in (docs/benchmarks.md).
SWITCH_INTERVAL = 0.001


class Server(uvicorn.Server):
    """uvicorn that calls `ready` when it listens, and that stops in good order.

    On a stop the server accepts no new connections, commits the marks on their way and tells its clients. Then it
    closes WebSockets with 1012 and finishes requests. After LEAVE_LIMIT it cuts off the clients that are left.
    """

    def __init__(self, config: uvicorn.Config, ready: Callable[[], object] | None = None) -> None:
        super().__init__(config)
        self.ready = ready
        worker = this_worker()
        self.handover = Handover(worker) if worker is not None else None
        if self.handover is not None:
            config.http = self.handover.protocol  # type: ignore[assignment]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        if self.handover is not None:
            self.handover.open(self._make_protocol)
        await super().startup([])
        for listener in (sockets or ()) if self.started else ():
            self.servers.append(await self._open(listener))
        if self.started:
            sys.setswitchinterval(SWITCH_INTERVAL)
            self.collector = Collector()
            if self.ready is not None:
                self.ready()

    def _make_protocol(self) -> Any:
        options = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
        return self.config.http_protocol_class(**options)

    def _is_plain(self, listener: socket.socket) -> bool:
        """Whether a server that speaks HTTPS speaks plain HTTP on this port: where devices come to trust it."""
        return self.config.is_ssl and listener.getsockname()[1] == settings.TRUST_PORT

    async def _open(self, listener: socket.socket) -> asyncio.Server:
        """Listens, with TLS where that is spoken, which a client has to agree on within the time of a request."""
        tls: dict[str, Any] = {}
        if self.config.ssl is not None and not self._is_plain(listener):
            tls = {"ssl": self.config.ssl, "ssl_handshake_timeout": settings.REQUEST_TIMEOUT}
        loop = asyncio.get_running_loop()
        return await loop.create_server(self._make_protocol, sock=listener, backlog=self.config.backlog, **tls)

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # uvicorn ticks ten times a second
            self.collector.collect_if_quiet()
        if self.handover is not None:
            self.handover.spread.beat(len(self.server_state.connections))
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        if self.handover is not None:
            self.handover.close()
        try:
            async with asyncio.timeout(COMMIT_LIMIT):
                await stopping()
        except Exception:
            logger.exception("Not everything on its way could be committed and told.")
        asyncio.get_running_loop().call_later(LEAVE_LIMIT, self._cut_off)
        await super().shutdown(sockets)

    def _cut_off(self) -> None:
        for client in list(self.server_state.connections):
            client.transport.abort()


class WorkerProcess(multiprocess.Process):
    """One of several server processes. It stops when the supervisor is gone, so that the ports become free."""

    @cached_property
    def server(self) -> Server:
        return Server(self.config)

    def target(self, sockets: list[socket.socket] | None = None) -> None:
        threading.Thread(target=_stop_with_parent, daemon=True).start()
        super().target(sockets)


def _stop_with_parent() -> None:
    parent: Any = parent_process()
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)


#: uvicorn's supervisor makes its workers by this name. It has no setting for another class.
multiprocess.Process = WorkerProcess  # type: ignore[misc]


class Supervisor(multiprocess.Multiprocess):
    """Runs `config.workers` processes on the same `sockets`, and calls `ready` once all of them listen.

    A worker that dies is replaced, however often that happens. If one of the first workers cannot start, the whole
    server stops. SIGHUP replaces the workers one by one; SIGTERM and SIGINT stop all of them.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], ready: Callable[[], object]) -> None:
        super().__init__(config, sockets)
        self.ready = ready
        self.started = False

    def keep_subprocess_alive(self) -> None:
        # uvicorn's own method stops all workers when a new one cannot start. Here a new worker may fail because the
        # database is away for a moment, and the other workers still serve. uvicorn's method also waits for an answer
        # from every worker; while it waits for a worker that is being killed, it replaces no other.
        for at, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.process.is_alive():
                continue
            worker.kill()  # closes the pipe to the process that ended
            worker.join()
            metrics.worker_ended(worker.pid)
            worker_ended(worker.pid)
            if not self.started:
                self.should_exit.set()
                return
            logger.warning("Worker %s ended (%s); another takes its place.", worker.pid, worker.exitcode)
            self.processes[at] = WorkerProcess(self.config, self.sockets)
            self.processes[at].start()
        if not self.started and all(worker.is_ready(timeout=0.1) for worker in self.processes):
            self.started = True
            self.ready()
