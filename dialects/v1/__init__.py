"""`/api/v1`: the same people, classes and sessions in another system's words. Its WebSocket is the canonical `/ws`."""
