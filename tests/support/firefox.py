"""A real Firefox, headless, that reaches nothing but this machine.

Selenium drives a Firefox through geckodriver, which Debian does not have. Firefox itself takes the same commands, on a
socket of its own (Marionette): geckodriver only puts HTTP before it. So `Marionette` stands in its place.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

from tests.support.browser import LIMIT, Browser, Seen
from tests.support.socks import HERE, Way

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")

needs_firefox = pytest.mark.skipif(FIREFOX is None, reason="no Firefox here (firefox-esr)")

#: Also what is on this machine is reached by the proxy alone, which resolves no name.
PREFERENCES = {
    "marionette.port": 0,  # any that is free
    "network.proxy.type": 1,
    "network.proxy.socks": HERE,
    "network.proxy.socks_version": 5,
    "network.proxy.socks_remote_dns": True,
    "network.proxy.allow_hijacking_localhost": True,
    "network.proxy.no_proxies_on": "",
    "dom.ipc.processPrelaunch.enabled": False,
}

#: Selenium's commands, as Firefox calls them.
COMMANDS = {
    Command.NEW_SESSION: "WebDriver:NewSession",
    Command.QUIT: "Marionette:Quit",
    Command.NEW_WINDOW: "WebDriver:NewWindow",
    Command.CLOSE: "WebDriver:CloseWindow",
    Command.W3C_GET_CURRENT_WINDOW_HANDLE: "WebDriver:GetWindowHandle",
    Command.W3C_GET_WINDOW_HANDLES: "WebDriver:GetWindowHandles",
    Command.SWITCH_TO_WINDOW: "WebDriver:SwitchToWindow",
    Command.GET: "WebDriver:Navigate",
    Command.GO_BACK: "WebDriver:Back",
    Command.REFRESH: "WebDriver:Refresh",
    Command.GET_CURRENT_URL: "WebDriver:GetCurrentURL",
    Command.SET_WINDOW_RECT: "WebDriver:SetWindowRect",
    Command.SET_TIMEOUTS: "WebDriver:SetTimeouts",
    Command.W3C_EXECUTE_SCRIPT: "WebDriver:ExecuteScript",
    Command.FIND_ELEMENT: "WebDriver:FindElement",
    Command.FIND_ELEMENTS: "WebDriver:FindElements",
    Command.W3C_GET_ACTIVE_ELEMENT: "WebDriver:GetActiveElement",
    Command.CLICK_ELEMENT: "WebDriver:ElementClick",
    Command.CLEAR_ELEMENT: "WebDriver:ElementClear",
    Command.SEND_KEYS_TO_ELEMENT: "WebDriver:ElementSendKeys",
    Command.GET_ELEMENT_TEXT: "WebDriver:GetElementText",
    Command.IS_ELEMENT_ENABLED: "WebDriver:IsElementEnabled",
    Command.GET_ELEMENT_RECT: "WebDriver:GetElementRect",
    Command.W3C_ACTIONS: "WebDriver:PerformActions",
    Command.W3C_ACCEPT_ALERT: "WebDriver:AcceptAlert",
    Command.W3C_GET_ALERT_TEXT: "WebDriver:GetAlertText",
    Command.ADD_COOKIE: "WebDriver:AddCookie",
    Command.SCREENSHOT: "WebDriver:TakeScreenshot",
}


class Marionette(RemoteConnection):
    """Takes Selenium's commands to a Firefox that listens on this port of this machine.

    A message is its length, a colon, and JSON: `[0, number, command, parameters]`, and its answer
    `[1, number, error, result]`.
    """

    def __init__(self, port: int) -> None:
        super().__init__(client_config=ClientConfig(remote_server_addr=f"http://127.0.0.1:{port}"))
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=2 * LIMIT)
        self._answers = self._socket.makefile("rb")
        self._read()  # who it is
        self._number = 0

    def _read(self) -> Any:
        length = b""
        while (digit := self._answers.read(1)) != b":":
            if not digit:
                raise ConnectionError("Firefox has ended")
            length += digit
        return json.loads(self._answers.read(int(length)))

    def tell(self, name: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """What Selenium expects of an answer: its value, with a status where it is an error."""
        self._number += 1
        message = json.dumps([0, self._number, name, parameters]).encode()
        self._socket.sendall(b"%d:%s" % (len(message), message))
        _, _, error, result = self._read()
        if error is not None:
            return {"status": 500, "value": json.dumps({"value": error})}
        alone = isinstance(result, dict) and result.keys() == {"value"}
        return {"value": result["value"] if alone else result}

    def execute(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        parameters = {name: value for name, value in params.items() if name != "sessionId"}
        if command == Command.NEW_SESSION:
            parameters = {"webSocketUrl": True, "unhandledPromptBehavior": "ignore"}
        elif command == Command.QUIT:
            parameters = {"flags": ["eForceQuit"]}
        return self.tell(COMMANDS[command], parameters)

    def close(self) -> None:
        self._answers.close()
        self._socket.close()


class Firefox(Browser):
    """A Firefox with an empty profile. Of what it did (`seen`) it tells the errors alone."""

    def _begin(self, reaches: str, trusts: Path | None) -> None:
        profile = self.folder / "profile"
        profile.mkdir()
        self._way = Way()
        preferences = {**PREFERENCES, "network.proxy.socks_port": self._way.port}
        wishes = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in preferences.items()]
        (profile / "user.js").write_text("\n".join(wishes))
        where = ["--profile", str(profile), "--no-remote", "--remote-debugging-port=0"]
        self._process = subprocess.Popen(
            [str(FIREFOX), "--headless", "--marionette", "--remote-allow-system-access", *where, "about:blank"],
            env={**os.environ, "HOME": str(self.folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._marionette = Marionette(self._port(profile / "MarionetteActivePort"))
        self.driver = webdriver.Remote(self._marionette, options=webdriver.FirefoxOptions())
        self.driver.set_window_size(1280, 1000)
        # Without it the keyboard is the page's alone, as in a headless Chromium.
        self._privileged("document.getElementById('navigator-toolbox').hidden = true")

    def _port(self, told: Path) -> int:
        end = time.monotonic() + LIMIT
        while time.monotonic() < end and self._process.poll() is None:
            if told.exists() and (text := told.read_text()):
                return int(text)
            time.sleep(0.05)
        raise AssertionError("Firefox does not listen")

    def close(self) -> None:
        self.driver.quit()
        self._marionette.close()
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)
        self._way.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _privileged(self, script: str) -> Any:
        """What a script returns that runs as the browser's own."""
        self._marionette.tell("Marionette:SetContext", {"value": "chrome"})
        try:
            return self.driver.execute_script(script)
        finally:
            self._marionette.tell("Marionette:SetContext", {"value": "content"})

    def _forget(self) -> None:
        self.cut(False)
        self._privileged(
            """
            const { CLEAR_COOKIES, CLEAR_DOM_STORAGES, CLEAR_ALL_CACHES } = Ci.nsIClearDataService;
            const what = CLEAR_COOKIES | CLEAR_DOM_STORAGES | CLEAR_ALL_CACHES;
            Services.console.reset();
            return new Promise((done) => Services.clearData.deleteData(what, { onDataDeleted: done }));
            """
        )

    def forget_cookies(self) -> None:
        self._privileged("Services.cookies.removeAll()")

    def remember(self, url: str, cookies: Mapping[str, str]) -> None:
        if not self.driver.current_url.startswith(url):
            self.open(f"{url}/healthz")  # a page sets cookies for its own site alone
        for name, value in cookies.items():
            self.driver.add_cookie({"name": name, "value": value, "path": "/", "sameSite": "Lax"})

    def run_first(self, script: str) -> None:
        self.driver.script.add_preload_script(f"() => {{ {script} }}", contexts=[self.driver.current_window_handle])

    def cut(self, is_off: bool) -> None:
        """The network is away, and what is connected ends; or it is back. Firefox knows of it, too."""
        self._way.cut(is_off)
        self._privileged(f"Services.io.offline = {json.dumps(is_off)}")

    def press(self, *keys: str) -> None:
        named = {"ArrowLeft": Keys.ARROW_LEFT, "ArrowRight": Keys.ARROW_RIGHT, "Enter": Keys.ENTER, "Tab": Keys.TAB}
        for key in keys:
            ActionChains(self.driver).send_keys(named.get(key, key)).perform()

    def _insert(self, place: str, text: str) -> None:
        self.find(place).send_keys(text)

    def seen(self) -> Seen:
        self._seen.errors = self._privileged(
            """
            return Services.console.getMessageArray()
              .filter((one) => one instanceof Ci.nsIScriptError && !(one.flags & 1))
              .filter((one) => /^https?:/.test(one.sourceName))
              .map((one) => one.errorMessage);
            """
        )
        return self._seen
