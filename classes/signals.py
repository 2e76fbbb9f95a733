"""What classes tells the apps above it, after commit."""

from django.dispatch import Signal

#: A class has other students or another teacher; `class_id` says which.
roster_changed = Signal()
