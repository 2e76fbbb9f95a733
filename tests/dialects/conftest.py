"""The people and the class of the real-time tests, for tests of what else talks about them.

The tests of a dialect that was deleted are left out, and with a Socket.IO dialect those that talk in both.
"""

from importlib.util import find_spec
from pathlib import Path

from tests.realtime.conftest import people, per_class_people, per_class_server, room

__all__ = ["people", "per_class_people", "per_class_server", "room"]

collect_ignore = [
    path.parent.name
    for path in Path(__file__).parent.glob("*/driver.py")
    if path.parent.name != "canonical" and find_spec(f"dialects.{path.parent.name}") is None
]
if not {"events", "rooms"}.isdisjoint(collect_ignore):
    collect_ignore.append("socketio")
