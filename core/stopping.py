"""What must let go before the server stops: answers that wait for news would hold it up."""

from collections.abc import Callable

_hooks: list[Callable[[], object]] = []


def on_stopping(hook: Callable[[], object]) -> None:
    """`hook` is called in the event loop when the server is told to stop, before it waits for its clients."""
    _hooks.append(hook)


def stopping() -> None:
    """The server is told to stop."""
    for hook in _hooks:
        hook()
