"""Django's WSGI application: HTTP alone. The server runs it inside `attendance_project.asgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "attendance_project.settings")

application = get_wsgi_application()
