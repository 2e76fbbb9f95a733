"""The signals of this app, for the apps above it. They are sent after commit."""

from django.dispatch import Signal

#: The class `class_id` has other students or another teacher.
roster_changed = Signal()
