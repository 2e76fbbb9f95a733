"""DRF's way to `core.strict_json`."""

from typing import Any

from rest_framework.parsers import BaseParser

from core import errors, strict_json


class StrictJsonParser(BaseParser):
    """A JSON body, read strictly; `InvalidSchema` for what is none."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        try:
            return strict_json.loads(stream.read())
        except ValueError:
            raise errors.InvalidSchema from None
