"""What accounts tells the apps above it, after commit."""

from django.dispatch import Signal

#: Somebody's password, role or access changed, or an account is gone: tokens and sockets must be looked at again.
accounts_changed = Signal()
