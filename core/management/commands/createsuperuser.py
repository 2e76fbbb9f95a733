"""`manage.py createsuperuser`: Django's, which asks for another e-mail where an account has the one that is given."""

from django.contrib.auth.management.commands import createsuperuser


class Command(createsuperuser.Command):
    #: Django looks for an index of the e-mail as it was typed. Ours is of its key (`core.emails`).
    username_is_unique = True
