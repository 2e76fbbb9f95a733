"""`manage.py runserver` is daphne's, so that it has WebSockets.

The app `daphne` is not in INSTALLED_APPS for it: that would load Twisted into every process, the server's too.
"""

from daphne.management.commands.runserver import Command

__all__ = ["Command"]
