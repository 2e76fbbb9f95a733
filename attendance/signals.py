"""What attendance announces, after commit."""

from django.dispatch import Signal

#: A session was started, resumed, ended or voided, the focus moved, or how students mark themselves in it changed.
session_changed = Signal()
