from django.apps import AppConfig


class V2Config(AppConfig):
    """A dialect with tables of its own is an app of Django's; `settings.INSTALLED_APPS` names it."""

    name = "dialects.v2"
    label = "v2"
