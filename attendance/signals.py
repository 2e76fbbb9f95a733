"""What attendance announces, after commit unless it says so."""

from django.dispatch import Signal

#: A session was started, resumed, ended or voided, or the focus moved.
session_changed = Signal()
#: Records of the session `session_id` were written or corrected. Sent inside the unit of work, so that receivers can
#: write in it what is to follow.
records_written = Signal()
