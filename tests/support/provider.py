"""A school's provider of accounts (OpenID Connect), `oidc-provider` from npm, and people who sign in there."""

import html
import re
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from tests.support.node import CLIENTS, install_packages
from tests.support.processes import START_LIMIT, ServerProcess

SECRET = "a secret of the tests"


class Provider(ServerProcess):
    """One provider, for a server at `origin`. Its clients are `school`, and `late`, whose codes are too old at once."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.log = Path(tempfile.mkdtemp(prefix="attendance-provider-")) / "provider.log"
        self.url = ""

    def start(self) -> "Provider":
        install_packages(CLIENTS)
        self.launch(["node", str(CLIENTS / "provider.js"), self.origin])
        deadline = time.monotonic() + START_LIMIT
        while not self.url:
            assert self.running, self.log_text()
            assert time.monotonic() < deadline, self.log_text()
            found = re.search(r"^(http://\S+)\n", self.log_text(), re.MULTILINE)
            self.url = found[1] if found else ""
            time.sleep(0.02)
        return self


def sign_in_there(url: str, claims: dict[str, Any]) -> str:
    """The address back to the server, with which the provider answers somebody who signs in there and agrees."""
    with httpx.Client(timeout=30) as browser:
        browser.post(urljoin(url, "/people"), json=claims).raise_for_status()
        answer = browser.get(url)
        while True:
            while answer.is_redirect:
                goal = urljoin(str(answer.url), answer.headers["Location"])
                if "/app/" in goal:
                    return goal
                answer = browser.get(goal)
            form = re.search(r'<form[^>]* action="([^"]+)"', answer.text)
            assert form, answer.text
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert prompt, answer.text
            typed = {"prompt": prompt[1], "login": claims["sub"], "password": "any"}
            answer = browser.post(urljoin(url, html.unescape(form[1])), data=typed)
