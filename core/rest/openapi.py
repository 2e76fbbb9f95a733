"""Makes the OpenAPI document from the views, so that nothing is described twice.

A view names who may use it (`audience`), what it takes (`body`, `query`), its answers (`answers`) and its own errors
(`raises`). The rest follows from these: the errors that every view with such an audience or body has, in the words of
its `worded`, and the envelope that the view's renderer puts around an answer.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from django.conf import settings
from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_array_type, resolve_type_hint
from drf_spectacular.utils import Direction, OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.serializers import Serializer

from core import errors
from core.rest.parsers import FormWithFile
from core.rest.permissions import Audience
from core.rest.serializers import StrictString

Schema = dict[str, Any]

_NEEDS_TOKEN = (errors.TokenMissing, errors.Unauthorized, errors.UserGone)
#: The errors for a client who does not belong to the audience.
_REFUSED: Mapping[Audience, tuple[type[errors.ApiError], ...]] = {
    Audience.ANYONE: (),
    Audience.SIGNED_IN: _NEEDS_TOKEN,
    Audience.TEACHER: (*_NEEDS_TOKEN, errors.TeacherOnly),
    Audience.STUDENT: (*_NEEDS_TOKEN, errors.StudentOnly),
    Audience.SUPERUSER: (*_NEEDS_TOKEN, errors.SuperuserOnly),
}
_BAD_BODY = (errors.InvalidSchema, errors.PayloadTooLarge, errors.UnsupportedMediaType)
#: Errors of every route: a request that is not HTTP, an origin that ALLOWED_ORIGINS does not list, a crash.
_EVERYWHERE = (errors.BadRequest, errors.Forbidden, errors.InternalError)

_RETRY_AFTER = OpenApiParameter(
    "Retry-After",
    int,
    OpenApiParameter.HEADER,
    required=True,
    response=[errors.TooManyRequests.status],
    description="Seconds until the same request may be taken.",
)


class ViewSchema(AutoSchema):
    """The schema of an `ApiView`."""

    view: Any

    def get_operation_id(self) -> str:
        words = re.findall(r"\w+", self.path.replace("-", "_")) or ["root"]
        return "_".join((self.method.lower(), *words))

    def get_tags(self) -> list[str]:
        return [self.view.protocol]

    def get_summary(self) -> str:
        """What the view's docstring says first of the route, behind its name."""
        words = re.sub(r"^`[^:`]*[^`]*`(?: and `[^`]*`)?: ", "", self.get_description().strip())
        sentence = re.split(r"[.;:] |[.;:]?$|\n", words, maxsplit=1, flags=re.MULTILINE)[0]
        return sentence[:1].upper() + sentence[1:]

    def get_auth(self) -> list[dict[str, Any]]:
        scheme = self.view.credential
        return [{scheme: []}] if scheme else []

    def get_override_parameters(self) -> list[Any]:
        asked = [
            OpenApiParameter(name, str, required=True, description=description)
            for name, description in self.view.query.items()
        ]
        asked += [
            OpenApiParameter(name, kind, description=description)
            for name, (kind, description) in self.view.filters.items()
        ]
        asked += [
            OpenApiParameter(name, str, OpenApiParameter.HEADER, description=description)
            for name, description in self.view.takes_headers.items()
        ]
        return [*asked, _RETRY_AFTER] if errors.TooManyRequests in self._raises() else asked

    def get_request_serializer(self) -> Any:
        if self.view.form is None:
            return self.view.body
        bodies = {"application/json": self.view.body, FormWithFile.media_type: self.view.form}
        return {kind: serializer for kind, serializer in bodies.items() if serializer is not None}

    def get_response_serializers(self) -> Any:
        return {**self._answers(), **self._failures()}

    def get_serializer_name(self, serializer: Any, direction: Direction) -> str:
        """The serializer's name with its app's, because two apps may have a `UserOutput`."""
        kind = type(serializer)
        return f"{kind.__module__.split('.')[-2]}.{kind.__name__}"

    def _insert_field_validators(self, field: Any, schema: Schema) -> None:
        super()._insert_field_validators(field, schema)  # type: ignore[no-untyped-call]
        if not isinstance(field, StrictString) or schema.keys() & {"pattern", "anyOf"}:
            return
        schema.setdefault("maxLength", settings.DATA_UPLOAD_MAX_MEMORY_SIZE)  # no body holds a longer string
        if not field.allow_blank:
            schema.setdefault("minLength", 1)

    def _is_list_view(self, serializer: Any = None) -> bool:
        return False  # `answers` says whether a view answers a list

    def _answers(self) -> dict[Any, Any]:
        files = {
            ("200", media_type.partition(";")[0]): OpenApiResponse({"type": "string"}, description="Done")
            for media_type in self.view.media_types
        }
        return files | {
            (str(status), "text/plain" if shape is str else "application/json"): OpenApiResponse(
                self._answer(shape), description="Done"
            )
            for status, shape in self.view.answers.items()
        }

    def _answer(self, shape: Any) -> Schema | None:
        """The schema of an answer's body: `shape`, in the envelope if the view's renderer has one. Text has none."""
        if shape is None:
            return None
        envelope = getattr(self.view.get_renderers()[0], "success", None)
        if shape is str or envelope is None:
            return self._shape(shape)
        answer = object()
        return _object(
            {key: self._shape(shape) if v is answer else _one_of([v]) for key, v in envelope(answer).items()}
        )

    def _shape(self, shape: Any) -> Schema:
        """A serializer, a type (TypedDict, dict, str, …) or a list of one of them, as a JSON schema."""
        if get_origin(shape) is list:
            return dict(build_array_type(self._shape(*get_args(shape))))
        if isinstance(shape, type) and issubclass(shape, Serializer):
            return dict(self.resolve_serializer(shape, "response").ref)
        resolve: Any = resolve_type_hint
        schema: Schema = _with_null(resolve(shape))
        return schema

    def _raises(self) -> Iterable[type[errors.ApiError]]:
        view = self.view
        yield from _REFUSED[view.audience]
        if view.body is not None or view.form is not None:
            yield from _BAD_BODY
        if view.query or view.filters:
            yield errors.InvalidSchema
        yield from view.raises
        yield from _EVERYWHERE
        if view.needs_database:
            yield errors.DatabaseUnavailable

    def _failures(self) -> dict[Any, Any]:
        by_status: dict[int, list[Schema]] = {}
        for error in self._raises():
            status, body = self.view.worded(error())
            if body not in by_status.setdefault(status, []):
                by_status[status].append(body)
        return {
            (str(status), "application/json"): OpenApiResponse(
                _failure(bodies),
                description=" / ".join(map(_words, bodies)),
                examples=[OpenApiExample(_words(body), value=body) for body in bodies],
            )
            for status, bodies in sorted(by_status.items())
        }


def _words(body: Schema) -> str:
    return next(value for value in body.values() if isinstance(value, str))


def _failure(bodies: list[Schema]) -> Schema:
    """The schema of the failures of one status: their keys, and for each key the values that it may have."""
    shapes = [
        _object({key: _values(key, keys, [body[key] for body in bodies if list(body) == list(keys)]) for key in keys})
        for keys in dict.fromkeys(tuple(body) for body in bodies)
    ]
    return shapes[0] if len(shapes) == 1 else {"oneOf": shapes}


def _values(key: str, keys: tuple[str, ...], values: list[Any]) -> Schema:
    """The values of a key. Beside a code, the message is for people, and in their language."""
    return {"type": "string"} if key == "error" and "code" in keys else _one_of(values)


def _object(properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _one_of(values: list[Any]) -> Schema:
    if isinstance(values[0], dict):
        return {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
    return {"type": "boolean" if isinstance(values[0], bool) else "string", "enum": list(dict.fromkeys(values))}


def _with_null(schema: Any) -> Any:
    """`schema` with OpenAPI 3.0's `nullable` written as OpenAPI 3.1 writes it."""
    if isinstance(schema, list):
        return [_with_null(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: _with_null(value) for key, value in schema.items() if key != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") else found


class ChoiceInSchema(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """The schema of a choice: its values, and a pattern, because an enum cannot say that any letter case is taken."""

    target_class = "core.rest.serializers.StrictChoice"

    def map_serializer_field(self, auto_schema: AutoSchema, direction: Direction) -> Schema:
        choices = self.target.choices
        letters = ("".join(f"[{letter.upper()}{letter}]" for letter in choice) for choice in choices)
        return {
            "anyOf": [
                {"type": "string", "enum": list(choices)},
                {"type": "string", "pattern": f"^(?:{'|'.join(letters)})$"},
            ],
            "description": f"{' or '.join(choices)}, in any letter case",
        }


def routes_described(endpoints: list[Any]) -> list[Any]:
    """The routes without a slash at the end, each with the view that answers its method.

    The form with the slash is the same route.
    """
    return [
        (path.rstrip("/") or "/", expression, method, getattr(callback, "by_method", {}).get(method, callback))
        for path, expression, method, callback in endpoints
        if method != "OPTIONS"
    ]


def in_order(result: Schema, **hook: Any) -> Schema:
    """The document with the protocols in the order of its tags, and the token of a login before other credentials."""
    order = [tag["name"] for tag in settings.SPECTACULAR_SETTINGS["TAGS"]]

    def place(path: str) -> tuple[int, str]:
        operation = next(iter(result["paths"][path].values()))
        return order.index(operation["tags"][0]), path

    schemes = result["components"]["securitySchemes"]
    result["paths"] = {path: result["paths"][path] for path in sorted(result["paths"], key=place)}
    result["components"]["securitySchemes"] = {"token": schemes["token"], **schemes}
    return result
