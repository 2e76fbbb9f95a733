"""What accounts tells the apps above it, after commit."""

from django.dispatch import Signal

#: Somebody has another name or e-mail: what shows them must be shown anew. `user_id` says whose. Sent not after the
#: commit but inside the unit of work, so that versions are raised in it.
person_changed = Signal()
#: Somebody's password, role or access changed, or an account is gone: tokens and sockets must be looked at again.
accounts_changed = Signal()
