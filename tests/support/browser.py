"""A real Chromium, headless, that reaches nothing but this machine; and sites, for pages of other origins.

`firefox.py` beside it has the other browser, which takes the same commands.
"""

import json
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    NoSuchElementException,
    StaleElementReferenceException,
    TimeoutException,
    WebDriverException,
)
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support import expected_conditions
from selenium.webdriver.support.wait import WebDriverWait

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

#: For tests in which the browser trusts an authority.
needs_certutil = pytest.mark.skipif(shutil.which("certutil") is None, reason="no certutil here (libnss3-tools)")
needs_chromium = pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="no chromium and chromedriver here")

#: What is to come has this long, seconds; far more than it needs, so that a busy machine fails no test.
LIMIT = 60.0
#: What begins so never leaves the browser.
WITHIN = ("about:", "blob:", "chrome:", "data:")

OPTIONS = (
    "--headless=new",
    "--window-size=1280,1000",
    "--no-proxy-server",
    "--disable-dev-shm-usage",  # containers have little of it
)

#: An element that is not there yet, or that the page has replaced.
_PASSING = (NoSuchElementException, StaleElementReferenceException, ElementClickInterceptedException)
#: What chromedriver says now and then of an element that the page has replaced between being found and being clicked.
_REPLACED = "does not belong to the document"


@dataclass
class Seen:
    """What the browser did since its last fresh start, in all its tabs."""

    #: What it asked for, WebSockets too.
    urls: list[str] = field(default_factory=list)
    #: What it did not get, and why: `404 http://…`, `net::ERR_… http://…`. A refused preflight is no answer either.
    failures: list[str] = field(default_factory=list)
    #: The errors in the console: scripts' own, and what a policy refused.
    errors: list[str] = field(default_factory=list)

    @property
    def origins(self) -> set[str]:
        return {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in self.urls}


def _locator(place: str) -> tuple[str, str]:
    """Of a CSS selector, or of an XPath, which begins with a slash."""
    return (By.XPATH if place.startswith("/") else By.CSS_SELECTOR), place


class Browser:
    """One Chromium with an empty profile; `fresh` between tests is cheaper than a new one."""

    driver: Any  # a Chromium's has commands of its own besides those of every browser

    def __init__(self, *, reaches: str = "127.0.0.1", trusts: Path | None = None) -> None:
        """`reaches`: the one address that it can reach. `trusts`: the certificate of an authority."""
        self.folder = Path(tempfile.mkdtemp(prefix="attendance-browser-"))
        self._seen = Seen()
        self._asked: dict[str, str] = {}
        self._begin(reaches, trusts)
        self.driver.set_script_timeout(LIMIT)
        self.driver.set_page_load_timeout(LIMIT)

    def _begin(self, reaches: str, trusts: Path | None) -> None:
        if trusts is not None:
            self._trust(trusts)
        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        # No name is ever resolved. What the browser would like to tell its makers ends here too.
        nowhere_else = f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {reaches}"
        for option in (*OPTIONS, nowhere_else, f"--user-data-dir={self.folder / 'profile'}"):
            options.add_argument(option)
        if os.geteuid() == 0:
            options.add_argument("--no-sandbox")  # it needs a user who is not root
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # With its path given nobody looks for a driver, on this machine or elsewhere.
        service = Service(str(DRIVER), env={**os.environ, "HOME": str(self.folder)})
        self.driver = webdriver.Chrome(options, service)

    def _trust(self, authority: Path) -> None:
        """As a person does in the browser's settings: NSS keeps it in the home folder."""
        keys = self.folder / ".pki" / "nssdb"
        keys.mkdir(parents=True)
        where = ["certutil", "-d", f"sql:{keys}"]
        subprocess.run([*where, "-N", "--empty-password"], check=True)
        subprocess.run([*where, "-A", "-t", "C,,", "-n", "school", "-i", str(authority)], check=True)

    def close(self) -> None:
        self.driver.quit()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def fresh(self) -> None:
        """One empty tab, and nothing remembered of what was before."""
        old = self.driver.window_handles
        self.tab()
        new = self.driver.current_window_handle
        for handle in old:
            self.driver.switch_to.window(handle)
            self.driver.close()
        self.driver.switch_to.window(new)
        self._forget()
        self._seen = Seen()
        self._asked = {}

    def _forget(self) -> None:
        for origin in self.seen().origins:
            self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": "all"})
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.forget_cookies()

    def forget_cookies(self) -> None:
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})

    def remember(self, url: str, cookies: Mapping[str, str]) -> None:
        """Sets cookies of the site at `url`."""
        for name, value in cookies.items():
            self.driver.execute_cdp_cmd("Network.setCookie", {"name": name, "value": value, "url": url})

    def run_first(self, script: str) -> None:
        """From now on each page of this tab begins with this script."""
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script})

    def cut(self, is_off: bool) -> None:
        """The network stalls: what is connected stays so, and nothing comes or goes; or it goes on."""
        conditions = {"offline": is_off, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def tab(self) -> str:
        """Opens a tab and goes there; `to` comes back to it."""
        self.driver.switch_to.new_window("tab")
        return str(self.driver.current_window_handle)

    def to(self, tab: str) -> None:
        self.driver.switch_to.window(tab)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def run(self, script: str, *arguments: Any) -> Any:
        """What an async function of this body, with `arguments` as `given`, returns in the page; it may await."""
        return self.driver.execute_script(f"return (async (given) => {{ {script} }})([...arguments])", *arguments)

    def find(self, place: str) -> WebElement:
        """The first such element, once it is visible."""
        return self._wait(expected_conditions.visibility_of_element_located(_locator(place)), place)

    def click(self, place: str) -> None:
        """Clicks on the first such element as soon as that does something; a page may still be drawing it anew."""
        clickable = expected_conditions.element_to_be_clickable(_locator(place))

        def click(driver: Any) -> WebElement | None:
            element = clickable(driver)
            if not isinstance(element, WebElement):
                return None
            element.click()
            return element

        self._wait(click, place)

    def confirm(self) -> None:
        """Says yes to the question that a script of the page asks, once it is asked."""
        WebDriverWait(self.driver, LIMIT).until(expected_conditions.alert_is_present()).accept()

    def _wait(self, until: Callable[[Any], Any], place: str) -> WebElement:
        """Waits for the element that `until` gives; what the page replaces meanwhile is looked for again."""

        def tried(driver: Any) -> Any:
            try:
                return until(driver)
            except WebDriverException as failure:
                if isinstance(failure, _PASSING) or _REPLACED in (failure.msg or ""):
                    return None
                raise

        try:
            found: WebElement = WebDriverWait(self.driver, LIMIT, 0.05).until(tried)
        except TimeoutException:
            text = self.driver.find_element(By.TAG_NAME, "body").text
            raise AssertionError(f"{place} did not come into {self.driver.current_url}:\n{text}") from None
        return found

    def write(self, place: str, text: str) -> None:
        """Puts `text`, at one stroke, in the place of what is there."""
        visible = expected_conditions.visibility_of_element_located(_locator(place))

        def clear(driver: Any) -> WebElement | None:
            element = visible(driver)
            if not isinstance(element, WebElement):
                return None
            element.clear()
            return element

        self._wait(clear, place)
        self.click(place)
        self._insert(place, text)

    def _insert(self, place: str, text: str) -> None:
        self.driver.execute_cdp_cmd("Input.insertText", {"text": text})

    def press(self, *keys: str) -> None:
        """Keys as a person presses them, by their names in the browser."""
        for key in keys:
            code = {"Enter": "\r"}.get(key, key)
            for kind in ("keyDown", "keyUp"):
                event: dict[str, Any] = {"type": kind, "key": key}
                if kind == "keyDown" and len(code) == 1:
                    event["text"] = code
                self.driver.execute_cdp_cmd("Input.dispatchKeyEvent", event)

    def texts(self, place: str) -> list[str]:
        """The visible texts of all such elements."""
        return [element.text for element in self.driver.find_elements(*_locator(place))]

    def _log(self, name: str) -> list[dict[str, Any]]:
        """What is new in it."""
        entries: list[dict[str, Any]] = self.driver.get_log(name)
        return entries

    def seen(self) -> Seen:
        for entry in self._log("performance"):
            event = json.loads(entry["message"])["message"]
            self._note(event["method"], event["params"])
        for entry in self._log("browser"):
            if entry["level"] == "SEVERE":
                self._seen.errors.append(entry["message"])
        return self._seen

    def until(self, holds: Callable[[Seen], bool]) -> None:
        """Waits for what is seen a moment after the page knows it: refusals. What the page replaces is read again."""
        try:
            WebDriverWait(self.driver, LIMIT, 0.05, _PASSING).until(lambda _: holds(self.seen()))
        except TimeoutException:
            raise AssertionError(self.seen()) from None

    def assert_clean(self, *origins: str) -> None:
        """It asked these and nobody else, got all of it, and has no complaint."""
        seen = self.seen()
        assert (seen.failures, seen.errors) == ([], [])
        assert seen.origins == set(origins)

    def _note(self, method: str, params: Mapping[str, Any]) -> None:
        """One of the browser's own events about the network."""
        if method in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            url = params["request"]["url"] if "request" in params else params["url"]
            if not url.startswith(WITHIN):
                self._asked[params["requestId"]] = url
                self._seen.urls.append(url)
        elif params.get("requestId") in self._asked:
            url = self._asked[params["requestId"]]
            if method == "Network.responseReceived" and params["response"]["status"] >= HTTPStatus.BAD_REQUEST:
                self._seen.failures.append(f"{params['response']['status']} {url}")
            elif method == "Network.loadingFailed" and not params.get("canceled"):
                self._seen.failures.append(f"{params['errorText']} {url}")
            elif method == "Network.webSocketFrameError":
                self._seen.failures.append(f"{params['errorMessage']} {url}")


class Site:
    """An origin of its own on this machine: files by their paths, whatever type they say."""

    def __init__(self, files: Mapping[str, Path]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                file = files.get(self.path)
                if file is None:
                    self.send_error(HTTPStatus.NOT_FOUND)
                    return
                self.send_response(HTTPStatus.OK)
                kind = "text/javascript" if file.suffix == ".js" else "text/html"
                self.send_header("Content-Type", f"{kind}; charset=utf-8")
                self.end_headers()
                self.wfile.write(file.read_bytes())

            def log_message(self, *words: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> "Site":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
