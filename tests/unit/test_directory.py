"""The directory of open sessions finds what a search through all of them would find."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from attendance.live.directory import Directory
from attendance.live.session import LiveSession
from core.identity import Actor, Role

NOW = datetime(2025, 3, 11, 10, tzinfo=UTC)
PEOPLE = ["ann", "ben", "cho", "dia"]
ACTORS = [Actor(person, Role(role), person, "") for person in PEOPLE for role in Role]
SESSIONS = ["one", "two", "three"]


@dataclass(frozen=True)
class Enter:
    """A session is entered, or its people change."""

    session: str
    teacher: str
    roster: frozenset[str]


@dataclass(frozen=True)
class Leave:
    session: str


steps = st.lists(
    st.one_of(
        st.builds(
            Enter,
            st.sampled_from(SESSIONS),
            st.sampled_from(PEOPLE),
            st.frozensets(st.sampled_from(PEOPLE), max_size=3),
        ),
        st.builds(Leave, st.sampled_from(SESSIONS)),
    ),
    max_size=12,
)


@given(steps)
def test_sessions_are_found_by_id_by_class_and_by_whom_they_concern(steps: list[Enter | Leave]) -> None:
    directory = Directory()
    there: dict[Any, Any] = {}
    for step in steps:
        if isinstance(step, Leave):
            directory.remove(step.session)
            there.pop(step.session, None)
            continue
        session = there.setdefault(step.session, LiveSession(step.session, f"class {step.session}", step.teacher, NOW))
        session.belong_to(step.teacher, step.roster)
        directory.add(session)
    assert dict(directory) == there
    assert list(directory) == list(there)
    for name in SESSIONS:
        assert directory.get(name) is directory.of_class(f"class {name}") is there.get(name)
    for actor in ACTORS:
        found = {session.id for session in directory.concerning(actor)}
        assert found == {session.id for session in there.values() if session.concerns(actor)}


def test_the_next_session_of_a_class_takes_the_place_of_the_one_before_whichever_of_the_two_leaves() -> None:
    directory = Directory()
    before, after = (LiveSession(name, "physics", "ann", NOW) for name in ("before", "after"))
    directory.add(before)
    directory.add(after)
    assert directory.of_class("physics") is after
    directory.remove("before")
    assert directory.of_class("physics") is after
    directory.remove("after")
    assert directory.of_class("physics") is None
