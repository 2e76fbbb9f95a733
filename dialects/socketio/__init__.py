"""The part that the Socket.IO dialects share: one server at /socket.io, on which each connection speaks one dialect.

`settings.SOCKETIO_DIALECTS` names the dialects. Without any, the server refuses all connections to /socket.io.
"""

from core.optional import without

# For clients, and for servers that tell each other of their rooms, which this one does by its live sessions.
with without("redis", "requests", "websocket"):
    import socketio  # noqa: F401
