"""The Socket.IO events protocol: /ws's own session (the focus) under other names, with the token in the query."""
