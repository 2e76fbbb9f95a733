"""/api-docs: the document has every route, what it says of them is valid, and Swagger UI needs nobody else's server.

That answers are as the document says, the clients of all API tests see to (`tests.support.openapi`).
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import get_resolver
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.validation import validate_schema
from jsonschema import Draft202012Validator, ValidationError

from core.errors import StudentNotFound
from core.rest.api_docs import document
from core.rest.health import Healthz
from tests.api.permissions import routes
from tests.api.rest import is_served
from tests.support import openapi
from tests.support.http import Client
from tests.support.processes import ROOT

pytestmark = pytest.mark.one_database("The document is made from the code.")

#: Not in the document: they are it, or are pages for people.
DOCS = {"api-docs", "api-docs-schema", "api-docs-asyncapi", "invitation", "invitation-accept", "metrics"}
METHODS = {"get", "post", "put", "patch", "delete"}


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document()["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


@pytest.fixture
def described() -> Any:
    """The document as a client gets it, made afresh."""
    document.cache_clear()
    GENERATOR_STATS.reset()
    return Client().get("/api-docs/schema").json()


@pytest.mark.long
def test_the_document_is_valid_and_nothing_in_it_was_guessed(
    described: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    validate_schema(described)  # type: ignore[no-untyped-call]
    assert not GENERATOR_STATS
    assert capsys.readouterr().err == ""


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """The schemas within a part of the document, those within schemas too."""
    for child in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from schemas(child)
    if isinstance(node, dict) and isinstance(node.get("schema"), dict):
        yield node["schema"]


def strings(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """The schemas of strings within `schema`, each with the name of its field."""
    for name, field in schema.get("properties", {}).items():
        for kind in field.get("anyOf", [field.get("items", field)]):
            if "string" in kind.get("type", ()):
                yield name, kind


def test_every_schema_is_json_schema() -> None:
    found = [*document()["components"]["schemas"].values(), *schemas(document()["paths"])]
    assert found
    for schema in found:
        Draft202012Validator.check_schema(schema)


def test_every_string_of_a_body_says_what_it_may_be() -> None:
    inputs = {name: found for name, found in document()["components"]["schemas"].items() if name.endswith("Input")}
    assert inputs
    loose = [
        (name, field)
        for name, schema in inputs.items()
        for field, kind in strings(schema)
        if not kind.keys() & {"enum", "format", "maxLength", "pattern"}
    ]
    assert loose == []


def test_roles_and_statuses_are_enums_ids_have_a_pattern_and_dates_a_format() -> None:
    fields = {name: found["properties"] for name, found in document()["components"]["schemas"].items()}
    roles = ["teacher", "student"]
    assert fields["accounts.SignupInput"]["role"]["anyOf"][0]["enum"] == roles
    assert fields["accounts.UserOutput"]["role"]["enum"] == roles
    assert fields["attendance.MyAttendanceOutput"]["status"]["enum"] == ["present", "absent", None]
    assert fields["accounts.UserOutput"]["_id"]["pattern"] == "^[0-9a-f]{24}$"
    assert fields["attendance.StartOutput"]["startedAt"]["format"] == "date-time"
    if is_served("/api/teacher/records"):
        formats = [kind.get("format") for kind in fields["attentrack.RangeInput"]["startDate"]["anyOf"]]
        assert formats == ["date", "date-time", None]
        assert fields["attentrack.SetAttendanceInput"]["otp"]["type"] == ["string", "number", "null"]


def test_the_document_has_every_route_and_method_and_no_other() -> None:
    found = {
        (openapi.path_of(name), method)
        for name, view, _ in routes(get_resolver())
        for method in METHODS
        if name not in DOCS and hasattr(view, method)
    }
    assert {(path, method) for path, method, _ in operations()} == found
    assert len({operation["operationId"] for _, _, operation in operations()}) == len(found)


def test_every_example_is_as_its_schema_says_and_every_failure_has_one() -> None:
    for path, method, operation in operations():
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                assert status < "400" or media["examples"], (path, method, status)
                for example in media.get("examples", {}).values():
                    openapi.validator(path, method, status).validate(example["value"])


#: (path, status, an answer that is not as the document says)
WRONG: list[tuple[str, int, Any]] = [
    ("/healthz", 200, {"success": True, "data": {"status": "well", "version": "1.2.3"}}),
    ("/healthz", 200, {"success": True, "data": {"status": "ok", "version": "1.2.3", "more": 1}}),
    ("/healthz", 200, {"success": True, "data": {"status": "ok"}}),
    ("/healthz", 200, {"success": False, "data": {"status": "ok", "version": "1.2.3"}}),
    ("/healthz", 200, {"status": "ok", "version": "1.2.3"}),
    ("/api/v1/auth/me", 404, {"success": False, "error": "Please send jwt token"}),
    ("/api/v1/class/" + "f" * 24, 404, {"success": False, "error": "you are not enrolled in the class"}),
    ("/api/student/token-login", 401, {"success": False, "error": "Unauthorized access"}),
    ("/getAttendance", 200, {"currentOTP": None, "finalTime": None, "currentId": None}),
]


@pytest.mark.parametrize(("path", "status", "body"), [row for row in WRONG if is_served(row[0])])
def test_an_answer_that_is_not_as_the_document_says_is_found(path: str, status: int, body: Any) -> None:
    with pytest.raises(ValidationError):
        openapi.check("GET", path, status, "application/json", json.dumps(body).encode())


def test_a_status_or_a_kind_of_answer_that_the_document_does_not_have_is_found() -> None:
    for status, kind in ((418, "application/json"), (200, "text/plain")):
        with pytest.raises(AssertionError):
            openapi.check("GET", "/healthz", status, kind, b"{}")


def test_what_a_view_raises_is_in_the_document_in_its_own_words(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "404" not in document()["paths"]["/healthz"]["get"]["responses"]
    monkeypatch.setattr(Healthz, "raises", (StudentNotFound,))
    document.cache_clear()
    examples = document()["paths"]["/healthz"]["get"]["responses"]["404"]["content"]["application/json"]["examples"]
    document.cache_clear()
    assert [example["value"] for example in examples.values()] == [{"success": False, "error": "Student not found"}]


def test_who_may_use_a_route_is_in_the_document() -> None:
    security = {(path, method): operation.get("security") for path, method, operation in operations()}
    assert security["/auth/login", "post"] is None
    assert security["/class", "post"] == [{"token": []}]
    schemes = {"token"}
    if is_served("/api/student/forgot"):
        assert security["/api/student/forgot", "post"] == [{"otpToken": []}]
        schemes.add("otpToken")
    assert schemes <= document()["components"]["securitySchemes"].keys()


def test_swagger_ui_and_all_of_its_files_come_from_here() -> None:
    client = Client()
    page = client.get("/api-docs")
    assert page["Content-Type"].startswith("text/html")
    html = page.content.decode()
    addresses = re.findall(r"""(?:src|href)="([^"]+)""", html)
    assert len(addresses) >= 4
    (script,) = [address for address in addresses if not address.startswith("/static/")]
    assert script.startswith("/api-docs?")
    assert "/api-docs/schema" in client.get(script).content.decode().replace("\\u002D", "-")
    assert "://" not in html
    for address in addresses:
        assert client.get(address).status_code == 200, address


@pytest.mark.parametrize("path", ["/api-docs", "/api-docs/schema"])
def test_the_document_is_only_read(path: str) -> None:
    assert Client().post(path).status_code == 405
    assert Client().get(f"{path}/").status_code == 200


def test_every_operation_has_a_summary_and_one_protocol_and_the_canonical_comes_first() -> None:
    made = document()
    operations = [operation for path in made["paths"].values() for operation in path.values()]
    protocols = [tag["name"] for tag in made["tags"]]
    assert protocols[0] == "canonical"
    tags = [operation["tags"] for operation in operations]
    assert all(len(tag) == 1 for tag in tags)
    assert list(dict.fromkeys(tag for (tag,) in tags)) == protocols
    bad = {one["operationId"]: one["summary"] for one in operations if not 5 <= len(one["summary"]) <= 100}
    assert bad == {}
    assert not any(one["summary"].startswith("`") or one["summary"].endswith(".") for one in operations)
    assert list(made["components"]["securitySchemes"]) == ["token", "otpToken"]


def test_the_sockets_document_is_served_and_linked() -> None:
    answer: Any = Client().get("/api-docs/asyncapi.yaml")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/yaml")
    assert answer.content == (ROOT / "docs" / "asyncapi.yaml").read_bytes()
    assert "/api-docs/asyncapi.yaml" in document()["info"]["description"]


def test_swagger_ui_keeps_the_token_over_a_reload() -> None:
    client = Client()
    script = re.findall(r'src="(/api-docs\?[^"]*)"', client.get("/api-docs").content.decode())[0]
    assert '"persistAuthorization": true' in client.get(script.replace("&amp;", "&")).content.decode()
