"""DRF's parsers for bodies: JSON, and forms that bring a file."""

from typing import Any

from rest_framework.parsers import BaseParser, MultiPartParser

from core import errors, strict_json


class StrictJsonParser(BaseParser):
    """Reads a JSON body by `core.strict_json`. Raises `InvalidSchema` for a body that is not strict JSON."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return strict_json.loads(stream.read())
        except ValueError:
            raise errors.InvalidSchema from None


class FormWithFile(MultiPartParser):
    """Reads `multipart/form-data` as a dict of its texts and files. `InvalidSchema` for a name that comes twice."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        form = super().parse(stream, media_type, parser_context)
        fields = [*form.data.lists(), *form.files.lists()]
        found = {name: values[0] for name, values in fields}
        if sum(len(values) for _, values in fields) != len(found) or any("\0" in name for name in found):
            raise errors.InvalidSchema
        return found
