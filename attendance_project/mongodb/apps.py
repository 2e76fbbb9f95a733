"""Django's own apps on MongoDB: the same, with ObjectIds for keys."""

from django.contrib.auth.apps import AuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig

from attendance_project import apps

_KEY = "django_mongodb_backend.fields.ObjectIdAutoField"


class Admin(apps.Admin):
    default_auto_field = _KEY


class Auth(AuthConfig):
    default_auto_field = _KEY


class ContentTypes(ContentTypesConfig):
    default_auto_field = _KEY
