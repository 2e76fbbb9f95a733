"""Who is connected to this process: clients are let in by their tokens, and dismissed when those are no longer good."""

from collections.abc import Callable
from typing import Any

from accounts import tokens
from attendance.live import gateway
from attendance.live.expiries import Expiries
from attendance.live.hub import Hub
from attendance.live.refusals import socket_refused
from attendance.live.shares import Shares
from attendance.live.socket import Socket
from attendance.live.statistics import LiveStatistics
from core import errors
from core.identity import Actor
from core.limits import Limit

#: The WebSocket close code for a token that is bad, or no longer good.
CLOSE_UNAUTHORIZED = 4401


class Connections:
    """The sockets of one process, in its hub for as long as their tokens are good."""

    def __init__(self, hub: Hub, statistics: LiveStatistics) -> None:
        self._hub = hub
        self._statistics = statistics
        self._shares = Shares()
        self._expiries = Expiries(hub, self.dismiss)
        #: The version of the accounts that all sockets were checked against.
        self.accounts_version = 0

    async def welcome(self, authenticate: Callable[[], tuple[Actor, tokens.Claims | None]], **of_socket: Any) -> Socket:
        """A socket for the person whom `authenticate` finds (in a thread), in the hub from now on.

        So the socket misses nothing, though its outlet may still hold back. A socket without claims is never dismissed.
        Raises what `authenticate` raises, and `TooManyRequests` for a person who has too many sockets.
        """
        version = self.accounts_version
        try:
            actor, claims = await gateway.read(authenticate)
        except errors.Unauthorized as error:
            socket_refused(error.message)
            raise
        try:
            share = self._shares.enter(actor.id)
        except errors.TooManyRequests as error:
            socket_refused(error.message, account=actor.id)
            raise
        socket = Socket(actor, claims, share=share, **of_socket)
        self._hub.add(socket)
        if claims is not None:
            self._expiries.add(socket, claims.expires_at)
        if self.accounts_version != version:
            try:
                await self.recheck()
            except BaseException:
                self.leave(socket)  # its client is not let in, so nobody else will say that it is gone
                raise
        return socket

    def charge(self, account: str, limit: Limit, amount: int) -> None:
        """`Shares.take`: requests and sockets of an account have one share."""
        self._shares.take(account, limit, amount)

    def leave(self, socket: Socket) -> None:
        """The socket is gone, or as good as gone. Once more does nothing."""
        if socket in self._hub:
            self._shares.leave(socket.actor.id)
        self._statistics.forget(socket)
        self._hub.remove(socket)

    def dismiss(self, socket: Socket) -> None:
        """Closes a socket whose token is no longer good."""
        socket.closing = True
        self._hub.tell(socket, socket.error(errors.SocketUnauthorized.message))
        socket.outlet.close(CLOSE_UNAUTHORIZED)
        self.leave(socket)

    async def take_version(self, accounts_version: int) -> None:
        """The accounts have this version now: if it is another, all sockets are checked against it."""
        before, self.accounts_version = self.accounts_version, accounts_version
        if accounts_version != before:
            try:
                await self.recheck()
            except BaseException:
                self.accounts_version = before
                raise

    async def recheck(self) -> None:
        """Dismisses the sockets whose tokens are no longer good."""
        by_claims: dict[tokens.Claims, list[Socket]] = {}
        for socket in self._hub:
            if socket.claims is not None:
                by_claims.setdefault(socket.claims, []).append(socket)
        if by_claims:
            for claims in await gateway.read(tokens.revoked, by_claims):
                for socket in by_claims[claims]:
                    self.dismiss(socket)
