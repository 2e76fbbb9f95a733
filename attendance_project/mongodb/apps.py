"""Django's own apps on MongoDB: the same, with ObjectIds for keys."""

from django.contrib.admin.apps import AdminConfig
from django.contrib.auth.apps import AuthConfig
from django.contrib.contenttypes.apps import ContentTypesConfig

_KEY = "django_mongodb_backend.fields.ObjectIdAutoField"


class Admin(AdminConfig):
    default_auto_field = _KEY


class Auth(AuthConfig):
    default_auto_field = _KEY


class ContentTypes(ContentTypesConfig):
    default_auto_field = _KEY
