"""core.database.prepared: the same rows as the query set gives, compiled once."""

from datetime import UTC, datetime, timedelta, timezone
from unittest.mock import patch

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.db.models.sql.compiler import SQLCompiler

from accounts.models import User
from classes.models import Class, Enrolment
from core.database.prepared import MOST_IDS, Prepared
from core.identity import Role
from core.ids import new_id
from core.times import latest
from tests.services.conftest import make_room, make_users

pytestmark = pytest.mark.django_db(transaction=True)


def test_models_are_as_django_reads_them() -> None:
    people = make_users(Role.STUDENT, 2)
    by_id: Prepared[User] = Prepared(lambda user_id: User.objects.filter(pk=user_id))
    for person in people:
        found = by_id.first(person.id)
        assert found is not None
        assert found.__dict__ | {"_state": None} == User.objects.get(pk=person.pk).__dict__ | {"_state": None}
        found.name = "Renamed"
        found.save()
        assert User.objects.get(pk=person.pk).name == "Renamed"
    assert by_id.first(new_id()) is None


def test_columns_are_as_django_reads_them_with_times_and_truths_converted() -> None:
    (person,) = make_users(Role.TEACHER, 1)

    def build(user_id: str) -> "QuerySet[User, tuple[object, ...]]":
        return User.objects.filter(pk=user_id).values_list("id", "created_at", "is_active", "credentials_changed_at")

    assert Prepared(build).rows(person.id) == list(build(person.id))


def test_several_ids_stand_where_they_belong() -> None:
    room = make_room(students=3)
    student = room.students[1]
    enrolment: Prepared[str] = Prepared(
        lambda student_id, class_id: Enrolment.objects.filter(
            class_ref_id=class_id, student_id=student_id, class_ref__removed_at=None
        ).values_list("student_id", flat=True)
    )
    assert enrolment.rows(student.id, room.class_id) == [student.id]
    assert enrolment.rows(room.class_id, student.id) == []
    roster: Prepared[str] = Prepared(
        lambda class_id: (
            Enrolment.objects.filter(class_ref_id=class_id).order_by("-id").values_list("student_id", flat=True)
        )
    )
    assert roster.rows(room.class_id) == [one.id for one in reversed(room.students)]


def test_any_number_of_ids_finds_as_many_rows() -> None:
    people = [person.id for person in make_users(Role.STUDENT, MOST_IDS + 1)]
    among: Prepared[str] = Prepared(
        lambda *ids: User.objects.filter(pk__in=ids).order_by("id").values_list("id", flat=True)
    )
    for number in (2, 0, 1, MOST_IDS + 1, 2):
        assert among.rows(*people[:number]) == people[:number]
    assert among.rows(people[0], people[0]) == [people[0]]


def test_times_stand_among_ids_as_django_writes_them() -> None:
    people = make_users(Role.STUDENT, 3)
    whole = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)
    moments = [whole, whole + timedelta(milliseconds=1), whole + timedelta(seconds=1)]
    for person, moment in zip(people, moments, strict=True):
        User.objects.filter(pk=person.pk).update(created_at=moment)
    since: Prepared[str] = Prepared(
        lambda begin, *ids: (
            User.objects.filter(Q(created_at__gt=begin) | Q(pk__in=ids))
            .filter(pk__in=[person.id for person in people])
            .order_by("created_at")
            .values_list("id", flat=True)
        )
    )
    names = [person.id for person in people]
    in_india = timezone(timedelta(hours=5, minutes=30))
    assert since.rows(moments[0]) == names[1:]
    assert since.rows(moments[0].astimezone(in_india)) == names[1:], "a time is the same in every zone"
    assert since.rows(moments[1], names[0]) == [names[0], names[2]]
    assert since.rows(moments[2]) == []


def test_a_query_is_compiled_once() -> None:
    if connection.vendor == "mongodb":
        pytest.skip("MongoDB has no SQL to compile")
    by_id: Prepared[Class] = Prepared(lambda class_id: Class.objects.filter(pk=class_id))
    by_id.first(new_id())
    with patch.object(SQLCompiler, "as_sql", side_effect=AssertionError("compiled again")):
        by_id.first(new_id())


def test_constants_of_a_query_are_read_as_django_reads_them() -> None:
    (person,) = make_users(Role.TEACHER, 1)
    for name in ("It's", 'a "name"', "%", ""):
        User.objects.filter(pk=person.pk).update(name=name)

        def build(user_id: str, name: str = name) -> "QuerySet[User, str]":
            rows = User.objects.filter(pk=user_id, name=name, is_active=True, token_version__lt=5)
            return rows.filter(created_at__lte=latest()).values_list("name", flat=True)

        assert Prepared(build).rows(person.id) == [name]
