"""Django's own apps as this project has them."""

from django.contrib.admin.apps import AdminConfig


class Admin(AdminConfig):
    """The admin, whose sign-in has the limits of all others."""

    default_site = "accounts.admin_site.AttendanceAdmin"
