"""Django's WSGI application: HTTP alone. The server runs it inside `attendance_project.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

from core import own_files

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")

own_files.require()
application = get_wsgi_application()
