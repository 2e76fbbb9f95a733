import gc

from django.apps import AppConfig


class CoreConfig(AppConfig):
    name = "core"

    def ready(self) -> None:
        from core import checks  # noqa: F401  registers the system checks

        gc.freeze()  # collections need not visit what was loaded, and stays
        gc.enable()  # after `manage.py`, which leaves out collections while it loads
