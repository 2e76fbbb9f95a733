from django.apps import AppConfig


class ClassesConfig(AppConfig):
    name = "classes"
    verbose_name = "Classes"

    def ready(self) -> None:
        from classes import previews, waiting  # noqa: F401  one lets old rows go, the other listens for proofs
