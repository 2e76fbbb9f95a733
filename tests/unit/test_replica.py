"""The replica folds views and marks into the open sessions, and says what is new and who is told. No database."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from attendance.enums import Method, SessionState, Status
from attendance.live.facts import EVERYBODY, NOBODY, Counts, Ended, Marked, Summary
from attendance.live.replica import MEMORY, News, Replica
from attendance.live.session import LiveSession
from attendance.live.view import Known, SessionView, View
from attendance.sheets import Sheet
from core.identity import Actor, Role

NOW = datetime(2025, 3, 11, 10, tzinfo=UTC)
OPEN, ENDED, VOIDED = SessionState.OPEN, SessionState.ENDED, SessionState.VOIDED


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def replica(clock: Clock) -> Replica:
    """One that has taken a view in which nothing was open."""
    made = Replica(clock)
    assert take(made) == []
    return made


def mark(seq: int, student: str = "ann", status: Status = Status.PRESENT) -> Marked:
    return Marked(seq, student, status, NOW, "teacher of physics", Method.TEACHER)


def session(name: str, *marks: Marked, state: SessionState = OPEN, **values: Any) -> SessionView:
    """A look's view of the session of the class `name`; its teacher is the class's own, its students ann and ben."""
    values = {"roster": {"ann": "Ann", "ben": "Ben"}, "roster_version": 1, "focus_number": 0, **values}
    return SessionView(
        id=name,
        class_id=f"class of {name}",
        teacher_id=values.pop("teacher_id", f"teacher of {name}"),
        state=state,
        started_at=values.pop("started_at", NOW),
        last_seq=len(marks),
        counts=Counts(1, 1),
        marks=list(marks),
        class_name=name.title(),
        teacher_name="Tea",
        other_names={},
        sheet=sheet(name) if state is ENDED else None,
        **values,
    )


def sheet(name: str) -> Sheet:
    return Sheet(name, f"class of {name}", name.title(), f"teacher of {name}", "Tea", ENDED, NOW, NOW, ())


def take(
    replica: Replica, *sessions: SessionView, focus: str | None = None, others: tuple[str, ...] = ()
) -> list[News]:
    """Takes a view of these sessions, and of `others` of which there is nothing new."""
    rows: dict[str, Mapping[str, Any]] = {view.id: {"id": view.id, "last_seq": view.last_seq} for view in sessions}
    rows |= {name: {"id": name} for name in others}
    view = View(focus_id=focus, accounts_version=1, rows=rows, sessions=list(sessions), idle=[])
    return list(replica.take(view))


def told(news: list[News]) -> list[tuple[str, list[int], Any]]:
    """Of each news with facts: the session, the facts' seqs, the audience."""
    return [
        (one.session.id, [getattr(fact, "seq", -1) for fact in one.facts], one.audience) for one in news if one.facts
    ]


def test_what_is_open_at_the_start_is_loaded_with_its_marks_and_what_is_over_is_not() -> None:
    replica = Replica()
    assert not replica.is_loaded
    news = take(replica, session("maths", state=ENDED), session("physics", mark(1), mark(2, "ben")), focus="physics")
    assert replica.is_loaded
    assert list(replica.sessions) == ["physics"]
    assert set(replica.finished) == {"maths"}
    assert [one.session.id for one in news] == ["physics"]
    physics = replica.sessions["physics"]
    assert (physics.seq, physics.class_name, physics.name_of("ben")) == (2, "Physics", "Ben")


def test_what_is_known_is_what_the_next_look_need_not_read(replica: Replica) -> None:
    take(replica, session("physics", mark(1), roster_version=7))
    assert replica.known() == {"physics": Known(seq=1, roster_version=7, row={"id": "physics", "last_seq": 1})}


def test_marks_of_a_commit_are_news_once_and_in_order(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    assert told(replica.admit("physics", [mark(1), mark(2)]) or []) == [("physics", [1, 2], EVERYBODY)]
    assert told(replica.admit("physics", [mark(2)]) or []) == []
    assert replica.admit("physics", [mark(2)]) is not None


def test_marks_behind_a_gap_or_of_an_unknown_session_ask_for_a_look(replica: Replica) -> None:
    take(replica, session("physics"))
    assert replica.admit("physics", [mark(2)]) is None
    assert replica.sessions["physics"].seq == 0
    assert replica.admit("maths", [mark(1)]) is None


def test_a_look_that_is_older_than_the_replica_takes_nothing_back(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    replica.admit("physics", [mark(1), mark(2)])
    assert told(take(replica, session("physics", mark(1), focus_number=1), focus="physics")) == []
    assert replica.sessions["physics"].seq == 2


def test_only_the_session_with_the_focus_is_told_to_everybody(replica: Replica) -> None:
    views = session("physics", mark(1), focus_number=1), session("maths", mark(1))
    assert told(take(replica, *views, focus="physics")) == [("maths", [1], NOBODY), ("physics", [1], EVERYBODY)]


def test_marks_made_before_the_focus_moved_are_told_under_the_focus_of_their_time(replica: Replica) -> None:
    """It moved from physics over maths to art between two looks; each was marked while it had the focus."""
    take(replica, session("physics", focus_number=1), session("maths"), session("art"), focus="physics")
    views = (
        session("art", mark(1), focus_number=3),
        session("physics", mark(1), focus_number=1),
        session("maths", mark(1), focus_number=2),
    )
    assert told(take(replica, *views, focus="art")) == [
        ("physics", [1], EVERYBODY),
        ("maths", [1], EVERYBODY),
        ("art", [1], EVERYBODY),
    ]
    assert replica.focus_id == "art"


def test_with_a_session_a_class_its_people_are_told(replica: Replica, settings: Any) -> None:
    settings.LIVE_SESSIONS = "per-class"
    people = frozenset({"teacher of physics", "ann", "ben"})
    assert told(take(replica, session("physics", mark(1)))) == [("physics", [1], people)]


def test_who_was_told_last_is_remembered_wherever_the_focus_moved_since(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), session("maths"), focus="physics")
    assert replica.last_audience("physics") == NOBODY  # nothing has come of it yet
    replica.admit("physics", [mark(1)])
    take(replica, session("maths", focus_number=2), focus="maths", others=("physics",))
    assert replica.audience_of(replica.sessions["physics"]) == NOBODY
    assert replica.last_audience("physics") == EVERYBODY
    take(replica, session("physics", mark(1), state=ENDED, focus_number=1), focus="maths", others=("maths",))
    assert replica.last_audience("physics") == NOBODY  # its end
    assert replica.last_audience("art") == NOBODY


def test_the_end_is_told_behind_the_last_marks_and_the_session_is_finished(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    physics = replica.sessions["physics"]
    (news,) = take(replica, session("physics", mark(1), state=ENDED, focus_number=1), focus="physics")
    assert news == News(physics, [mark(1), Ended(1, Counts(1, 1), sheet("physics"))], EVERYBODY, is_over=True)
    assert physics.ended == news.facts[-1]
    assert list(replica.sessions) == []
    assert set(replica.finished) == {"physics"}
    assert replica.last_audience("physics") == EVERYBODY


def test_what_arrives_of_a_finished_session_is_no_news(replica: Replica) -> None:
    take(replica, session("physics"))
    take(replica, session("physics", state=ENDED))
    assert replica.admit("physics", [mark(1)]) == []
    assert take(replica, session("physics", mark(1))) == []


def test_a_session_that_began_and_ended_between_two_looks_is_told_whole(replica: Replica) -> None:
    (news,) = take(replica, session("physics", mark(1), mark(2), state=ENDED, focus_number=1), focus="physics")
    assert told([news]) == [("physics", [1, 2, 2], EVERYBODY)]
    assert news.is_over


def test_a_voided_session_ends_without_a_word(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    (news,) = take(replica, session("physics", state=VOIDED, focus_number=1), focus="physics")
    assert (list(news.facts), news.is_over) == ([], True)


def test_a_session_that_is_no_longer_in_the_database_is_over(replica: Replica) -> None:
    take(replica, session("physics"), session("maths"))
    (news,) = take(replica, others=("maths",))
    assert (news.session.id, list(news.facts), news.is_over) == ("physics", [], True)
    assert list(replica.sessions) == ["maths"]


def test_finished_sessions_are_forgotten_after_a_while(replica: Replica, clock: Clock) -> None:
    for name in ("physics", "maths"):
        take(replica, session(name))
        take(replica, session(name, state=ENDED))
        clock.seconds += MEMORY / 2
    assert set(replica.finished) == {"physics", "maths"}
    clock.seconds += 1
    take(replica, session("art"))
    take(replica, session("art", state=ENDED))
    assert set(replica.finished) == {"maths", "art"}


def test_a_new_roster_is_taken_and_an_older_one_is_not(replica: Replica) -> None:
    take(replica, session("physics", roster_version=2))
    (news,) = take(replica, session("physics", roster={"cho": "Cho"}, roster_version=3))
    physics = replica.sessions["physics"]
    assert news.roster_changed
    assert (physics.roster, physics.people) == (frozenset({"cho"}), frozenset({"teacher of physics", "cho"}))
    assert physics.name_of("ann") == "Ann"  # who may have been marked
    (news,) = take(replica, session("physics", roster_version=2))
    assert not news.roster_changed
    assert physics.roster == {"cho"}


def test_a_session_is_found_by_whom_it_concerns_after_its_teacher_has_changed(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    before, after = (Actor(key, Role.TEACHER, "", "") for key in ("teacher of physics", "new"))
    assert (replica.session_for(before), replica.session_for(after)) == (replica.sessions["physics"], None)
    take(replica, session("physics", teacher_id="new", roster=None, focus_number=1), focus="physics")
    assert (replica.session_for(before), replica.session_for(after)) == (None, replica.sessions["physics"])


def test_with_a_session_a_class_the_one_that_started_last_is_meant_unless_a_class_is_named(
    replica: Replica, settings: Any
) -> None:
    settings.LIVE_SESSIONS = "per-class"
    take(replica, session("physics", started_at=NOW + timedelta(hours=1)), session("maths"))
    ann = Actor("ann", Role.STUDENT, "", "")
    assert replica.session_for(ann) is replica.sessions["physics"]
    assert replica.session_for(ann, "class of maths") is replica.sessions["maths"]
    assert replica.session_for(ann, "class of art") is None
    assert replica.session_for(Actor("dia", Role.STUDENT, "", "")) is None


def test_a_session_is_found_by_id_by_class_and_by_the_names_that_it_was_given(replica: Replica) -> None:
    take(replica, session("physics"))
    physics = replica.sessions["physics"]
    assert replica.find("physics", "physics") is replica.find("class of physics", "class of physics") is physics
    assert replica.find("Lecture 1", None) is None
    replica.name(physics, "Lecture 1")
    assert replica.find("Lecture 1", None) is physics
    take(replica, session("physics", state=ENDED))
    assert replica.find("Lecture 1", None) is None


def test_a_summary_is_told_like_marks_and_leaves_nothing_behind_once_the_session_is_over(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    summary = Summary(0, Counts(0, 0))
    assert replica.tell(replica.sessions["physics"], [summary]).audience == EVERYBODY
    assert replica.last_audience("physics") == EVERYBODY
    gone = LiveSession("gone", "class of gone", "t", NOW)
    replica.tell(gone, [summary])
    assert replica._audiences.keys() == {"physics"}


def test_the_news_of_a_session_is_told_before_the_next_session_is_taken(replica: Replica) -> None:
    """So that whoever is told finds the focus and the session as the news says."""
    views = [session("physics", mark(1), focus_number=1), session("maths", mark(1), focus_number=2)]
    seen = []
    view = View("maths", 1, {one.id: {} for one in views}, views, [])
    for news in replica.take(view):
        seen.append((news.session.id, replica.focus_id, list(replica.sessions)))
    assert seen == [("physics", "physics", ["physics"]), ("maths", "maths", ["physics", "maths"])]


def test_an_end_that_could_not_be_told_is_news_again_in_the_next_view(replica: Replica) -> None:
    take(replica, session("physics", focus_number=1), focus="physics")
    over = session("physics", state=ENDED, focus_number=1)
    view = View("physics", 1, {over.id: {}}, [over], [])
    next(replica.take(view))  # and telling it fails
    assert told(take(replica, over, focus="physics")) == [("physics", [0], EVERYBODY)]
    assert set(replica.finished) == {"physics"}


def test_a_view_with_everything_known_is_no_news(replica: Replica) -> None:
    view = session("physics", mark(1), focus_number=1)
    take(replica, view, focus="physics")
    (news,) = take(replica, replace(view, roster=None), focus="physics")
    assert (list(news.facts), news.roster_changed, news.is_over) == ([], False, False)
