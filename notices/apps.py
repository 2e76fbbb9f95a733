from django.apps import AppConfig


class NoticesConfig(AppConfig):
    name = "notices"
    verbose_name = "notices"

    def ready(self) -> None:
        from notices import watching  # noqa: F401  it listens for records
