"""The Socket.IO rooms protocol: many sessions at once. Each message names its session; the token stands in `auth`."""
