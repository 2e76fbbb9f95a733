"""The fixtures of the real-time tests, for the tests of dialects.

The tests of a deleted dialect are left out. Without one of the two Socket.IO dialects, so are the tests that use both.
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
