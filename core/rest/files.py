"""Answers that are files."""

import re
from collections.abc import Iterator

from django.http import StreamingHttpResponse
from django.utils.http import content_disposition_header


def attachment(content: Iterator[bytes], name: str, kind: str, media_type: str) -> StreamingHttpResponse:
    """The answer with a file that the client is to keep, sent in the slices of `content`.

    The file is called `name` as far as every system takes it, and ends in `kind`.
    """
    safe = re.sub(r"[^\w-]+", "-", name).strip("-")[:60] or "report"
    response = StreamingHttpResponse(content, content_type=media_type)
    response["Content-Disposition"] = content_disposition_header(True, f"{safe}.{kind}")
    return response
