"""What is to be done when the server is told to stop, before it lets go of its clients."""

from collections.abc import Awaitable, Callable

_hooks: list[Callable[[], Awaitable[None]]] = []


def on_stopping(hook: Callable[[], Awaitable[None]]) -> None:
    """`hook` is awaited in the event loop when nobody new can connect any more, after those registered before it."""
    _hooks.append(hook)


async def stopping() -> None:
    """The server is told to stop."""
    for hook in _hooks:
        await hook()
