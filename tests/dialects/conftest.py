"""The people and the class of the real-time tests, for tests of what else talks about them."""

from tests.realtime.conftest import people, per_class_people, per_class_server, room

__all__ = ["people", "per_class_people", "per_class_server", "room"]
