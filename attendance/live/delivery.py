"""Frames on their way to the sockets that hear the same facts, in the order in which these sockets connected."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter

from attendance.live.frames import Frames
from attendance.live.socket import FastPath, Outlet, Socket
from attendance.live.wire import WireForm
from core.server.fan_out import Connection, Connections


class Delivery:
    """Some sockets, in order, each with the forms in which it hears, and the quickest path to each as it is now.

    The paths are kept, because to look them up costs as much as to write to them. A socket that hears in two forms gets
    the frames of both in one write: a second one could overtake what the first one left over.
    """

    def __init__(self, listeners: Iterable[tuple[Socket, WireForm]]) -> None:
        """`listeners` has a socket's forms one behind the other."""
        forms: dict[WireForm, int] = {}
        sayings: dict[tuple[int, ...], int] = {}
        self._steps: list[_Queue | _Ready] = []
        for socket, heard in groupby(listeners, key=itemgetter(0)):
            saying = sayings.setdefault(tuple([forms.setdefault(form, len(forms)) for _, form in heard]), len(sayings))
            fast = socket.outlet.fast
            connection = fast.connection if fast is not None else None
            if fast is None or connection is None:
                self._steps.append(_Queue(socket.outlet, saying))
                continue
            last = self._steps[-1] if self._steps else None
            if not isinstance(last, _Ready):
                last = _Ready()
                self._steps.append(last)
            last.add(connection, fast, saying)
        #: Each form that a listener hears in.
        self.forms = list(forms)
        #: What is said to a socket: the places of its forms.
        self._sayings = list(sayings)

    def send(self, texts: Sequence[Frames]) -> None:
        """Sends each socket the frames of its forms, or queues them there. `texts` has frames for each of `forms`."""
        sayings = [_joined([texts[form] for form in saying]) for saying in self._sayings]
        for step in self._steps:
            step.send(sayings)


class _Queue:
    """A socket whose outlet queues, and which of the sayings it hears."""

    def __init__(self, outlet: Outlet, saying: int) -> None:
        self._outlet, self._saying = outlet, saying

    def send(self, sayings: Sequence[Frames]) -> None:
        if frames := sayings[self._saying]:
            self._outlet.send(frames)


class _Ready:
    """Sockets, one behind the other, whose connections take bytes at once."""

    def __init__(self) -> None:
        self._connections = Connections()
        self._paths: list[FastPath] = []

    def add(self, connection: Connection, path: FastPath, saying: int) -> None:
        self._connections.add(connection, saying)
        self._paths.append(path)

    def send(self, sayings: Sequence[Frames]) -> None:
        contents = [frames.wire for frames in sayings]
        if not any(contents):
            return
        for place, saying, taken in self._connections.send(contents):
            # Whatever the failure was: the queue goes on where that is possible, and else the connection ends there.
            self._paths[place].send_rest(contents[saying][taken:])


def _joined(parts: Sequence[Frames]) -> Frames:
    return parts[0] if len(parts) == 1 else Frames([text for frames in parts for text in frames])
