"""Webhooks of `/api/v2`: the office makes, changes and deletes them; their secret is told once."""

import pytest

from notices.models import Webhook
from tests.dialects.v2.rest import Asking, School, V2Rest, is_refused

URL = "https://hooks.example.com/attendance?school=1"


@pytest.fixture
def office(rest: V2Rest, school: School) -> Asking:
    return rest.as_(school.office)


def test_a_webhook_is_made_read_changed_and_deleted(office: Asking) -> None:
    events = ["session.ended", "absent.consecutive"]
    made = office.post("/webhooks", {"url": URL, "events": events})
    assert made.status == 201
    secret = made.data.pop("secret")
    assert secret.startswith("whsec_")
    key, path = made.data["_id"], f"/webhooks/{made.data['_id']}"
    assert made.data == {
        "_id": key,
        "url": URL,
        "events": events,
        "active": True,
        "createdAt": made.data["createdAt"],
        "toldAt": None,
        "failedAt": None,
        "failure": "",
    }
    assert office.get(path).data == made.data
    assert office.get("/webhooks").data == {"items": [made.data], "next": None}
    changed = office.patch(path, {"events": ["session.ended"], "active": False})
    assert changed.data == {**made.data, "events": ["session.ended"], "active": False}
    assert office.delete(path).status == 204
    is_refused(office.get(path), 404, "webhook_not_found")
    is_refused(office.delete("/webhooks/none"), 404, "webhook_not_found")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://example.com/", "events": ["session.ended"]}, "url"),
        ({"url": "https://127.0.0.1/", "events": ["session.ended"]}, "url"),
        ({"url": 1, "events": ["session.ended"]}, "url"),
        ({"events": ["session.ended"]}, "url"),
        ({"url": URL}, "events"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": "session.ended"}, "events"),
    ],
)
def test_a_bad_webhook_is_refused_by_field(office: Asking, body: object, field: str) -> None:
    answer = office.post("/webhooks", body)
    is_refused(answer, 400, "invalid_schema")
    assert list(answer.body["fields"]) == [field]
    assert not Webhook.objects.exists()


def test_an_event_that_is_none_is_refused(office: Asking) -> None:
    is_refused(office.post("/webhooks", {"url": URL, "events": ["any"]}), 400, "invalid_schema")


def test_a_change_of_what_has_changed_is_refused(office: Asking) -> None:
    path = f"/webhooks/{office.post('/webhooks', {'url': URL, 'events': ['session.ended']}).data['_id']}"
    tag = office.get(path).response["ETag"]
    assert office.patch(path, {"active": False}, **{"If-Match": tag}).status == 200
    is_refused(office.patch(path, {"active": True}, **{"If-Match": tag}), 412, "changed")
