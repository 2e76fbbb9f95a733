"""The server's own sending, from a thread of each process. Each row is taken by one of them."""

import asyncio
import logging
import threading

from django.db import connection

from core.database.failures import DATABASE_ERRORS
from core.server.shutdown import on_stopping
from notices.sending import send_due

logger = logging.getLogger(__name__)

INTERVAL = 5.0  # seconds
#: A stop waits so long for the delivery under way, seconds. One that is cut off is tried again.
PATIENCE = 3.0


class Loop:
    """Sends what is due, until the server is told to stop."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins. Once more does nothing."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="notices", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        failed = False
        while not self._stopping.wait(INTERVAL):
            try:
                send_due(self._stopping.is_set)
                failed = False
            except DATABASE_ERRORS as failure:
                if not failed:
                    logger.warning("No notices go out while the database is away: %s", type(failure).__name__)
                failed = True
                connection.close()
            except Exception:
                if not failed:
                    logger.exception("Notices cannot be sent; trying again every %d seconds.", INTERVAL)
                failed = True
            if connection.vendor == "postgresql":
                connection.close()  # it goes back to the pool


#: This process's loop.
loop = Loop()


async def _stop() -> None:
    await asyncio.to_thread(loop.stop)


on_stopping(_stop)
