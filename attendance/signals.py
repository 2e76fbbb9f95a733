"""What attendance announces, after commit."""

from django.dispatch import Signal

#: A session was started, resumed or ended, or the focus moved.
session_changed = Signal()
