"""The Socket.IO rooms protocol: many sessions at once, each named in every message, with the token in `auth`."""
