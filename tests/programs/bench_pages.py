"""What pages cost a browser, beside their budgets: `python -m tests.programs.bench_pages`, or `make bench-pages`.

Each page of a demo school is opened with an empty cache by everybody who may see it, and the dearest counts: bytes over
the network, requests, milliseconds until it is loaded. Then a phone's pages on a slow network, and the board of 30, 300
and 1,000 students while somebody taps and while the marks of a whole class come in. Phone and board have a CPU that the
browser slows 4 times.
"""

import json
import math
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm
from websockets.sync.client import connect

import tests.support.environment  # noqa: F401  it sets Django up, before any model
from accounts.models import User
from attendance.check_in import CheckInOptions, Mode
from attendance.check_in_rules import code_now
from attendance.check_ins import check_in_open
from attendance.models import Session
from classes.models import Class, Enrolment
from core.identity import Role
from tests.e2e.every_page import View, every_view, sign_in_for
from tests.e2e.school import DemoSchool, sign_in
from tests.support.browser import Browser
from tests.support.clients import make_token
from tests.support.database import databases_of_a_run
from tests.support.server import Server

KIB, SCRIPT_KIB, REQUESTS = 60, 20, 5
PAINTED_MS, BURST_MS, USABLE_MS = 50, 1000, 2000
SIZES = (30, 300, 1000)
TAPS, PAUSE = 40, 0.25  # a person's pause between two taps, seconds
SLOWED = 4
#: A slow 3G: 400 kbit/s, 400 ms there and back. The browser reckons no handshake of TCP or TLS.
SLOW_3G = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
FAST = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}

OBSERVE = """
    window.seen = { taps: {}, tasks: [] };
    new PerformanceObserver((list) => {
      for (const { interactionId, duration } of list.getEntries()) {
        if (interactionId) seen.taps[interactionId] = Math.max(seen.taps[interactionId] ?? 0, duration);
      }
    }).observe({ type: "event", durationThreshold: 16 });
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((one) => one.duration)))
      .observe({ type: "longtask" });
    """
CENTRES = """
    return [...document.querySelectorAll(".tile-main")].slice(0, given[0]).map((one) => {
      const { left, top, width, height } = one.getBoundingClientRect();
      return [left + width / 2, top + height / 2];
    });
    """
#: Waits, as rarely as a page does not notice, until nothing is on its way.
SETTLED = """
    const { connection } = document.querySelector("attendance-board");
    while (connection.waiting.length) await new Promise((go) => setTimeout(go, 100));
    await new Promise((go) => requestIdleCallback(go));
    return seen;
    """
WATCH_BURST = """
    const board = document.querySelector("attendance-board");
    window.burst = new Promise((done) => {
      let first = 0;
      board.connection.addEventListener("message", () => (first ||= performance.now()));
      const look = () => requestAnimationFrame(() => {
        if ([...board.tiles.values()].filter(({ shown }) => shown === "late").length < given[0]) return look();
        const { port1, port2 } = new MessageChannel(); // its message comes when the frame is painted
        port1.onmessage = () => done(performance.now() - first);
        port2.postMessage(0);
      });
      look();
    });
    """


@dataclass
class Cost:
    """Of one page: bytes over the network, of which scripts, and what the browser asked for; sockets are among it."""

    bytes: int = 0
    scripts: int = 0
    asked: list[str] = field(default_factory=list)
    loaded: float = 0.0


@contextmanager
def slowed(browser: Browser, network: dict[str, Any] = FAST) -> Iterator[None]:
    """The browser's CPU is slow, and its network is like this."""
    browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", network)
    try:
        yield
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 1})
        browser.driver.execute_cdp_cmd("Network.emulateNetworkConditions", FAST)


def empty(browser: Browser) -> None:
    """No page, nothing in the cache, nothing in the log."""
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open("about:blank")
    browser.driver.get_log("performance")


def cost_so_far(browser: Browser) -> Cost:
    """What the browser has asked for since it was `empty`."""
    cost, scripts = Cost(), set()
    for entry in browser.driver.get_log("performance"):
        event: dict[str, Any] = json.loads(entry["message"])["message"]
        params = event["params"]
        if event["method"] == "Network.requestWillBeSent" and params["request"]["url"].startswith("http"):
            cost.asked.append(params["request"]["url"])
            if params.get("type") == "Script":
                scripts.add(params["requestId"])
        elif event["method"] == "Network.webSocketCreated":
            cost.asked.append(params["url"])
        elif event["method"] == "Network.loadingFinished":
            cost.bytes += params["encodedDataLength"]
            cost.scripts += params["encodedDataLength"] if params["requestId"] in scripts else 0
    return cost


def percentile(values: list[float], part: float) -> float:
    """The smallest value that `part` of all do not exceed."""
    return sorted(values)[math.ceil(part * len(values)) - 1]


def said(value: float, budget: float) -> str:
    return f"{value:.0f}" if value <= budget else f"{value:.0f} **over**"


# Every page


def cost_of(browser: Browser, server: Server, school: DemoSchool, view: View) -> Cost:
    sign_in_for(view, browser, server, school, "en")
    empty(browser)
    view.open(browser, server, school)
    cost = cost_so_far(browser)
    cost.loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    return cost


def pages(browser: Browser, server: Server, school: DemoSchool) -> None:
    dearest: dict[str, Cost] = {}
    for view in tqdm([view for view in every_view() if not view.step], desc="Pages", disable=None):
        cost = cost_of(browser, server, school, view)
        known = dearest.get(view.name)
        if known is None or (len(cost.asked), cost.bytes) > (len(known.asked), known.bytes):
            dearest[view.name] = cost
    print(f"\n| page | KiB (≤ {KIB}) | of it scripts (≤ {SCRIPT_KIB}) | requests (≤ {REQUESTS}) | loaded, ms |")
    print("|---|---|---|---|---|")
    for name, cost in sorted(dearest.items()):
        print(
            f"| {name} | {cost.bytes / 1024:.1f} | {cost.scripts / 1024:.1f} | {said(len(cost.asked), REQUESTS)} "
            f"| {cost.loaded:.0f} |"
        )


# The phone


def make_class(school: DemoSchool, size: int) -> tuple[str, list[User]]:
    """The id of an open session of so many students, and they."""

    def make() -> tuple[str, list[User]]:
        teacher = school.people["teacher"]
        found = Class.objects.create(name=f"{size} students", teacher=teacher)
        students = [
            User(name=f"Student {size} {number}", email=f"s{size}.{number}@example.com", password="!")
            for number in range(size)
        ]
        User.objects.bulk_create(students)
        Enrolment.objects.bulk_create([Enrolment(class_ref=found, student=student) for student in students])
        session = Session.objects.create(class_ref=found, started_by=teacher)
        check_in_open(session_id=session.id, options=CheckInOptions(mode=Mode.FIXED))
        return str(session.id), students

    return school.database.ask(make)


def phone(browser: Browser, server: Server, school: DemoSchool) -> None:
    session, students = make_class(school, 5)
    code = school.database.ask(lambda: code_now(Session.objects.get(pk=session), site="").code)
    scanned = f"check-in/{session}?code={code}"
    # Looked for before each frame; none is painted without the style. The last has nothing to use, so no budget.
    steps = [
        ("a student's day", "", students[0], "document.querySelector('attendance-mine .status')"),
        ("the field for a code", "check-in/", students[0], "document.querySelector('#code')?.checkVisibility()"),
        ("a scan, to be signed in", scanned, None, "document.querySelector('.check-in-sign-in')?.checkVisibility()"),
        ("a scan, until it says “you are in”", scanned, students[1], "document.querySelector('.is-in')"),
    ]
    print(f"\n| on a slow 3G | usable after, ms (≤ {USABLE_MS}) | KiB | requests (≤ {REQUESTS}) |\n|---|---|---|---|")
    for name, path, who, usable in steps:
        found = f"{usable} ? (window.usable = performance.now()) : requestAnimationFrame(look)"
        look = f"const look = () => {found}; look();"
        added = browser.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": look})
        sign_in(browser, server, who, "en")
        empty(browser)
        with slowed(browser, SLOW_3G):
            browser.open(f"{server.url}/app/{path}")
            took = browser.run("while (!window.usable) await new Promise((go) => setTimeout(go, 50)); return usable")
        browser.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", added)
        cost = cost_so_far(browser)
        asked = said(len(cost.asked), REQUESTS)
        budget = USABLE_MS if "until" not in name else math.inf
        print(f"| {name} | {said(took, budget)} | {cost.bytes / 1024:.1f} | {asked} |")


# The board


def tap(browser: Browser, left: float, top: float) -> None:
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        event = {"type": kind, "x": left, "y": top}
        pressed = {} if kind == "mouseMoved" else {"button": "left", "clickCount": 1}
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event | pressed)


def burst(browser: Browser, server: Server, school: DemoSchool, session: str, students: list[User]) -> float:
    """Another device marks each student, one message each, as fast as it can: ms until the board has painted the last.

    Counted from the first that the page hears.
    """
    browser.run(WATCH_BURST, len(students))
    token = make_token(school.people["teacher"].id, Role.TEACHER)
    with connect(f"{server.ws_url.removesuffix('/ws')}/ws/v2?token={token}") as socket:
        for number, student in enumerate(students):
            marks = [{"studentId": student.id, "status": "late"}]
            socket.send(json.dumps({"event": "MARK", "id": number, "data": {"session": session, "marks": marks}}))
        answers = 0
        while answers < len(students):
            answers += json.loads(socket.recv())["event"] in ("OK", "ERROR")
    return float(browser.run("return await burst"))


def board(browser: Browser, server: Server, school: DemoSchool, size: int) -> None:
    session, students = make_class(school, size)
    sign_in(browser, server, school.people["teacher"], "en")
    with slowed(browser):
        View("board", f"sessions/{session}/", "teacher").open(browser, server, school)
        loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
        browser.run(OBSERVE)
        for left, top in browser.run(CENTRES, TAPS):
            tap(browser, left, top)
            time.sleep(PAUSE)
        seen = browser.run(SETTLED)
        taps = list(seen["taps"].values())
        taps += [16.0] * (min(TAPS, size) - len(taps))  # a shorter one is not told
        took = burst(browser, server, school, session, students[:300])
    print(
        f"| {size} | {percentile(taps, 0.5):.0f} | {said(percentile(taps, 0.95), PAINTED_MS)} | {max(taps):.0f} "
        f"| {len(seen['tasks'])} | {max(seen['tasks'], default=0):.0f} | {said(took, BURST_MS)} | {loaded:.0f} |"
    )


def main() -> int:
    with databases_of_a_run() as databases, Browser() as browser:
        database = databases.fresh()
        school = DemoSchool(database)
        with Server(database, LIVE_SESSIONS="per-class", LIMITS="False") as server:
            if "board" not in sys.argv[1:]:
                pages(browser, server, school)
                phone(browser, server, school)
            print(
                f"\n| students | a tap, median ms | p95 (≤ {PAINTED_MS}) | slowest (INP) | tasks over 50 ms "
                f"| longest, ms | marks of all, at most 300, at once, ms (≤ {BURST_MS}) | loaded, ms |"
            )
            print("|---|---|---|---|---|---|---|---|")
            for size in SIZES:
                board(browser, server, school, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
