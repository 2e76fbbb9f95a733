"""The routes of `/api/v2` through Django's test client, and a school to ask about."""

import json
from dataclasses import dataclass, field
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from classes.models import Class, CoTeacher, Enrolment
from tests.api.rest import Answer, Rest, make_user, token_of

#: An id that nobody and nothing has.
UNKNOWN_ID = "f" * 24


class V2Rest(Rest):
    """Every answer must be the envelope, and as the OpenAPI document says."""

    def __init__(self) -> None:
        super().__init__("/api/v2")

    def as_(self, person: User) -> "Asking":
        """The routes for one person."""
        return Asking(self, token_of(person))

    def read(self, path: str, response: Any) -> Answer:
        if response.status_code in (204, 304):
            assert response.content == b""
            return Answer(response, response.status_code, None)
        assert response["Content-Type"] == "application/json; charset=utf-8", response.content
        parsed = json.loads(response.content)
        if response.status_code < 400:
            assert list(parsed) == ["success", "data"]
        else:
            assert list(parsed)[:3] == ["success", "error", "code"]
            assert ("fields" in parsed) == (parsed["code"] == "invalid_schema")
        assert parsed["success"] == (response.status_code < 400)
        return Answer(response, response.status_code, parsed)


@dataclass
class Asking:
    """Somebody's requests: `asking("GET", "/me")`."""

    rest: V2Rest
    token: str

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        return self.rest(method, path, body, token=self.token, **options)

    def get(self, path: str, **options: Any) -> Answer:
        return self("GET", path, **options)

    def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return self("POST", path, {} if body is None else body, **options)

    def send(
        self, path: str, content: str | bytes, name: str = "list.csv", language: str = "en", **fields: str
    ) -> Answer:
        """A form with a file, from somebody who reads `language`."""
        data = content.encode() if isinstance(content, str) else content
        raw = encode_multipart(BOUNDARY, {"file": SimpleUploadedFile(name, data), **fields})
        return self("POST", path, raw=raw, content_type=MULTIPART_CONTENT, **{"Accept-Language": language})

    def patch(self, path: str, body: Any, **options: Any) -> Answer:
        return self("PATCH", path, body, **options)

    def delete(self, path: str, **options: Any) -> Answer:
        return self("DELETE", path, **options)


def is_refused(answer: Answer, status: int, code: str) -> None:
    """The answer is a failure of this code."""
    assert (answer.status, answer.body.get("code")) == (status, code), answer.body


@dataclass
class School:
    """A class with an owner, a co-teacher and two students; and people who have nothing to do with it."""

    owner: User = field(default_factory=lambda: make_user("Owner", "teacher"))
    co_teacher: User = field(default_factory=lambda: make_user("Colleague", "teacher"))
    other_teacher: User = field(default_factory=lambda: make_user("Other", "teacher"))
    office: User = field(default_factory=lambda: make_user("Office", "teacher", is_superuser=True, is_staff=True))
    ann: User = field(default_factory=lambda: make_user("Ann", roll_number="1"))
    ben: User = field(default_factory=lambda: make_user("Ben", roll_number="2"))
    stranger: User = field(default_factory=lambda: make_user("Stranger"))

    def __post_init__(self) -> None:
        self.physics = Class.objects.create(name="Physics", teacher=self.owner)
        CoTeacher.objects.create(class_ref=self.physics, teacher=self.co_teacher)
        for student in (self.ann, self.ben):
            Enrolment.objects.create(class_ref=self.physics, student=student)

    @property
    def class_id(self) -> str:
        return str(self.physics.id)
