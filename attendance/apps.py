from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"

    def ready(self) -> None:
        import attendance.checks
        import attendance.merging  # noqa: F401  it forgets old merges
