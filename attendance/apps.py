from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"

    def ready(self) -> None:
        import attendance.checks
        import attendance.merging  # noqa: F401  it forgets old merges
        from attendance.live import listeners  # noqa: F401  connects the signals to the live server
