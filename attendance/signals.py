"""What attendance announces, after commit."""

from django.dispatch import Signal

#: A session was started, resumed, ended or voided, or the focus moved.
session_changed = Signal()
