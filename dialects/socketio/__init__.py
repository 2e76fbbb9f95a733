"""What the Socket.IO dialects share: one server at /socket.io, on which each connection speaks one of them.

`settings.SOCKETIO_DIALECTS` names them. Without any, the server refuses everybody and the rest goes on.
"""
