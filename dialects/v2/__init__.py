"""`/api/v2` and `/ws/v2`: this server's own protocol, which its pages use."""
