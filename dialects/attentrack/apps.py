from django.apps import AppConfig


class AttenTrackConfig(AppConfig):
    """A dialect with tables of its own is an app of Django's; `settings.INSTALLED_APPS` names it."""

    name = "dialects.attentrack"
    label = "attentrack"
