"""Frames on their way to the sockets that hear the same facts, in the order in which these sockets connected."""

from collections.abc import Callable, Iterable, Sequence

from attendance.live.frames import Frames
from attendance.live.socket import FastPath, Outlet, Socket
from attendance.live.wire import WireForm


class Delivery:
    """Some sockets, in order, each with the form in which it hears, and the quickest path to each as it is now.

    The paths are kept, because to look them up costs as much as to write to them.
    """

    def __init__(self, listeners: Iterable[tuple[Socket, WireForm]]) -> None:
        #: Each form that a listener hears in.
        self.forms: list[WireForm] = []
        #: Whether a form's bytes are needed.
        self._has_writers: list[bool] = []
        self._paths: list[tuple[Callable[[bytes], int] | None, FastPath | None, Outlet, int]] = []
        places: dict[WireForm, int] = {}
        for socket, form in listeners:
            place = places.setdefault(form, len(places))
            if place == len(self.forms):
                self.forms.append(form)
                self._has_writers.append(False)
            fast = socket.outlet.fast
            writer = fast.writer if fast is not None else None
            self._has_writers[place] |= writer is not None
            self._paths.append((writer, fast, socket.outlet, place))

    def send(self, texts: Sequence[Frames]) -> None:
        """Sends each socket the frames of its form, or queues them there. `texts` has frames for each of `forms`."""
        wires = [frames.wire if needed else b"" for frames, needed in zip(texts, self._has_writers, strict=True)]
        for write, fast, outlet, place in self._paths:
            data = wires[place]
            if write is None or fast is None or not data:
                if texts[place]:
                    outlet.send(texts[place])
                continue
            try:
                sent = write(data)
            except BlockingIOError:
                sent = 0
            except OSError:
                continue  # the connection is broken; its consumer hears of that from the server
            if sent != len(data):
                fast.send_rest(data[sent:])
