"""People in front of browsers."""

import re
from typing import Any

from accounts.models import User
from tests.support.http import Client


def signed_in(user: User) -> Client:
    """The browser of this person, who has signed in."""
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


def text_of(answer: Any, status: int = 200) -> str:
    """The HTML of a page, which must have this status."""
    assert answer.status_code == status, (answer.status_code, answer.content.decode()[-2000:])
    assert answer["Content-Type"] == "text/html; charset=utf-8"
    return str(answer.content.decode())


def words_of(html: str) -> str:
    """What a reader sees of a page: its text, with single blanks."""
    body = re.sub(r"(?s)<head>.*?</head>|<script.*?</script>|<[^>]+>", " ", html)
    return re.sub(r"\s+", " ", body)
