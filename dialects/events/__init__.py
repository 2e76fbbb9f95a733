"""The Socket.IO events protocol: the session that /ws means, under other names, with the token in the query."""
