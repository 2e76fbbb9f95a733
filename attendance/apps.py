from django.apps import AppConfig


class AttendanceConfig(AppConfig):
    name = "attendance"

    def ready(self) -> None:
        import attendance.checks  # noqa: F401
        from attendance.live import listeners  # noqa: F401  connects the signals to the live server
