"""The part that the Socket.IO dialects share: one server at /socket.io, on which each connection speaks one dialect.

`settings.SOCKETIO_DIALECTS` names the dialects. Without any, the server refuses all connections to /socket.io.
"""
