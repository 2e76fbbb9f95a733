"""Django's own apps, as this project configures them."""

from django.contrib.admin.apps import AdminConfig


class Admin(AdminConfig):
    """The admin, with this project's sign-in."""

    default_site = "accounts.admin_site.AttendanceAdmin"
