"""The signals of this app, for the apps above it."""

from django.dispatch import Signal

#: The person `user_id` has another name or e-mail. Sent inside the unit of work, so that receivers can raise the
#: versions of what shows the person.
person_changed = Signal()
#: The password, role or access of some account changed, or an account was deleted: tokens and sockets must be checked
#: again. Sent after commit.
accounts_changed = Signal()
#: The school may take somebody for the person whom it means by their address from now on. `user_id` says whom. Sent
#: inside the unit of work.
address_counts_now = Signal()
