"""uvicorn as `manage.py serve` runs it: in this process, or in several that a supervisor looks after."""

import asyncio
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable
from functools import cached_property, partial
from multiprocessing import parent_process
from typing import Any

import uvicorn
from uvicorn.supervisors import multiprocess

from core.server.garbage import Collector
from core.server.handover import Handover
from core.server.shutdown import stopping
from core.server.workers import this_worker

logger = logging.getLogger(__name__)


#: When it is told to stop, the server has this long to commit and tell what is on its way, seconds …
COMMIT_LIMIT = 4
#: … and its clients then have this long to take what they are sent, before they are cut off.
LEAVE_LIMIT = 4


class Server(uvicorn.Server):
    """uvicorn that calls `ready` when it listens, and stops in good order.

    Nobody new is let in; what is on its way is committed and told; then WebSockets are closed with 1012 and
    requests finished, and who has not taken all of it after LEAVE_LIMIT is cut off.
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
            options = {"config": self.config, "server_state": self.server_state, "app_state": self.lifespan.state}
            self.handover.open(partial(self.handover.protocol, **options))
        await super().startup(sockets)
        if self.started:
            self.collector = Collector()
            if self.ready is not None:
                self.ready()

    async def on_tick(self, counter: int) -> bool:
        if counter % 10 == 0:  # ten ticks are a second
            self.collector.look()
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
    """One of several server processes. It stops when the supervisor is gone, so that nothing holds the ports."""

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


#: The supervisor makes its workers by this name and asks nobody which kind they are to be.
multiprocess.Process = WorkerProcess  # type: ignore[misc]


class Supervisor(multiprocess.Multiprocess):
    """Runs `config.workers` processes on the same `sockets` and calls `ready` once all of them listen.

    A worker that dies is replaced, however often. Only when the first ones cannot start, nothing does. SIGHUP replaces
    the workers one by one, SIGTERM and SIGINT stop them all.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], ready: Callable[[], object]) -> None:
        super().__init__(config, sockets)
        self.ready = ready
        self.started = False

    def keep_subprocess_alive(self) -> None:
        # uvicorn's own gives up on all workers when one cannot start. Here that may be because the database is away
        # at that moment, and the others still serve. It also waits for an answer from each, and for as long as it
        # waits for a worker that is just being killed, nobody is replaced.
        for at, worker in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if worker.process.is_alive():
                continue
            worker.kill()  # closes what it held
            worker.join()
            if not self.started:
                self.should_exit.set()
                return
            logger.warning("Worker %s ended (%s); another takes its place.", worker.pid, worker.exitcode)
            self.processes[at] = WorkerProcess(self.config, self.sockets)
            self.processes[at].start()
        if not self.started and all(worker.is_ready(timeout=0.1) for worker in self.processes):
            self.started = True
            self.ready()
