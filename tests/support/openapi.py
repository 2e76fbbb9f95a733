"""What the OpenAPI document says of an answer: the clients of the API tests hold every answer to it."""

import json
from functools import cache
from typing import Any

from django.urls import Resolver404, get_resolver, resolve
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from core.rest.api_docs import document


def path_of(name: str) -> str:
    """A route's path as the document has it: `/class/{class_id}`."""
    template, parameters = get_resolver().reverse_dict.getlist(name)[0][0][0]
    return "/" + str(template) % {parameter: f"{{{parameter}}}" for parameter in parameters}


def check(method: str, path: str, status: int, content_type: str, content: bytes) -> None:
    """Fails where the document does not say that the route answers this. It says nothing of methods a route has not."""
    try:
        name = str(resolve(path).url_name)
    except Resolver404:
        return
    operation = document()["paths"].get(path_of(name), {}).get(method.lower())
    if operation is None:
        return
    assert str(status) in operation["responses"], f"{method} {path} answers {status}: {content!r}"
    described = operation["responses"][str(status)].get("content")
    if described is None:
        assert content == b""
        return
    kind = content_type.partition(";")[0]
    assert kind in described, f"{method} {path} answers {kind}"
    if kind == "application/json":
        validator(path_of(name), method.lower(), str(status)).validate(json.loads(content))


@cache
def validator(path: str, method: str, status: str) -> Draft202012Validator:
    """Of the JSON that is answered; it minds fields that the document does not name."""
    strict, registry = _strict_document()
    schema = strict["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    return Draft202012Validator(_absolute(schema), registry=registry)


@cache
def _strict_document() -> tuple[Any, Registry[Any]]:
    """The document that minds fields which it does not name, and its components as what `urn:document` refers to."""
    strict = _strict(json.loads(json.dumps(document())))
    resource = DRAFT202012.create_resource({"components": strict["components"]})
    return strict, Registry().with_resource("urn:document", resource)


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _strict(value) for key, value in schema.items()}
    if found.get("type") == "object" and "properties" in found:
        found.setdefault("additionalProperties", False)
    return found


def _absolute(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_absolute(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    return {key: f"urn:document{value}" if key == "$ref" else _absolute(value) for key, value in schema.items()}
