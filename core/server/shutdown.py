"""What other modules do when the server is told to stop, before the server closes its clients' connections."""

from collections.abc import Awaitable, Callable

_hooks: list[Callable[[], Awaitable[None]]] = []


def on_stopping(hook: Callable[[], Awaitable[None]]) -> None:
    """Registers `hook`. Hooks are awaited one by one, in this order, when no client can connect any more."""
    _hooks.append(hook)


async def stopping() -> None:
    """Awaits the hooks. The server calls this when it is told to stop."""
    for hook in _hooks:
        await hook()
