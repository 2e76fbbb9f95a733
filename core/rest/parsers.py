"""DRF's parser for JSON bodies."""

from typing import Any

from rest_framework.parsers import BaseParser

from core import errors, strict_json


class StrictJsonParser(BaseParser):
    """Reads a JSON body by `core.strict_json`. Raises `InvalidSchema` for a body that is not strict JSON."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return strict_json.loads(stream.read())
        except ValueError:
            raise errors.InvalidSchema from None
