"""`/ws/v2`: the live part of this protocol, over the core's sockets, hub and guards."""
