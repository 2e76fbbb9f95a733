"""What pages cost a browser, beside their budgets: `python -m tests.programs.bench_pages`, or `make bench-pages`.

Each page of a demo school is opened with an empty cache by the first who may see it: bytes over the network, requests,
milliseconds until it is loaded. Then the board of 30, 300 and 1,000 students on a CPU that is slowed 4 times: how long
a tap takes until it is painted (the browser's event timing), and its longest task.
"""

import json
import sys
from dataclasses import dataclass, field
from typing import Any

from tqdm import tqdm

import tests.support.environment  # noqa: F401  it sets Django up, before any model
from attendance.models import Session
from classes.models import Class, Enrolment
from tests.e2e.every_page import View, every_view, sign_in_for
from tests.e2e.school import DemoSchool, sign_in
from tests.support.browser import Browser
from tests.support.database import databases_of_a_run
from tests.support.server import Server

KIB, SCRIPT_KIB, REQUESTS = 60, 20, 5
PAINTED_MS = 50
SIZES = (30, 300, 1000)
TAPS = 20
SLOWED = 4
OBSERVE = """
    window.seen = { taps: [], tasks: [] };
    new PerformanceObserver((list) => seen.taps.push(...list.getEntries().filter((one) => one.interactionId)
      .map((one) => one.duration))).observe({ type: "event", durationThreshold: 16 });
    new PerformanceObserver((list) => seen.tasks.push(...list.getEntries().map((one) => one.duration)))
      .observe({ type: "longtask" });
    """


@dataclass
class Cost:
    """Of one page: bytes over the network, of which scripts, and how often the browser asked; sockets are among it."""

    bytes: int = 0
    scripts: int = 0
    asked: list[str] = field(default_factory=list)
    loaded: float = 0.0


def cost_of(browser: Browser, server: Server, school: DemoSchool, view: View) -> Cost:
    sign_in_for(view, browser, server, school, "en")
    browser.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    browser.open("about:blank")
    browser.driver.get_log("performance")  # type: ignore[no-untyped-call]
    view.open(browser, server, school)
    cost, scripts = Cost(), set()
    for entry in browser.driver.get_log("performance"):  # type: ignore[no-untyped-call]
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
    cost.loaded = browser.run("return performance.getEntriesByType('navigation')[0].loadEventEnd")
    return cost


def pages(browser: Browser, server: Server, school: DemoSchool) -> None:
    views = {view.name: view for view in reversed(every_view()) if not view.step}
    print(f"\n| page | KiB (≤ {KIB}) | of it scripts (≤ {SCRIPT_KIB}) | requests (≤ {REQUESTS}) | loaded, ms |")
    print("|---|---|---|---|---|")
    for name in tqdm(sorted(views), desc="Pages", disable=None):
        cost = cost_of(browser, server, school, views[name])
        over = " over" if len(cost.asked) > REQUESTS else ""
        print(
            f"| {name} | {cost.bytes / 1024:.1f} | {cost.scripts / 1024:.1f} | {len(cost.asked)}{over} "
            f"| {cost.loaded:.0f} |"
        )


def make_class(school: DemoSchool, size: int) -> str:
    """The id of an open session of so many students."""

    def make() -> str:
        teacher = school.people["teacher"]
        found = Class.objects.create(name=f"{size} students", teacher=teacher)
        manager = type(teacher).objects
        students = [
            type(teacher)(name=f"Student {size} {number}", email=f"s{size}.{number}@example.com", password="!")
            for number in range(size)
        ]
        manager.bulk_create(students)
        Enrolment.objects.bulk_create([Enrolment(class_ref=found, student=student) for student in students])
        return str(Session.objects.create(class_ref=found, started_by=teacher).id)

    return school.database.ask(make)


def board(browser: Browser, server: Server, school: DemoSchool, size: int) -> None:
    session = make_class(school, size)
    sign_in(browser, server, school.people["teacher"], "en")
    browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": SLOWED})
    try:
        View("board", f"sessions/{session}/", "teacher").open(browser, server, school)
        browser.run(OBSERVE)
        for number in range(TAPS):
            browser.driver.find_elements("css selector", ".tile-main")[number].click()
        browser.until(lambda _: not browser.run("return document.querySelectorAll('.is-waiting').length"))
        seen = browser.run("return seen")
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setCPUThrottlingRate", {"rate": 1})
    taps = sorted(seen["taps"]) or [16]
    # What takes less than 16 ms is not reported; the slowest tap of so few is what INP would be.
    print(
        f"| {size} | {taps[len(taps) // 2]:.0f} | {taps[-1]:.0f} | {len(seen['tasks'])} "
        f"| {max(seen['tasks'], default=0):.0f} |"
    )


def main() -> int:
    with databases_of_a_run() as databases, Browser() as browser:
        database = databases.fresh()
        school = DemoSchool(database)
        with Server(database, LIVE_SESSIONS="per-class", LIMITS="False") as server:
            pages(browser, server, school)
            print(
                f"\n| students | a tap, median ms (≤ {PAINTED_MS}) | slowest (INP) | tasks over 50 ms | longest, ms |"
            )
            print("|---|---|---|---|---|")
            for size in SIZES:
                board(browser, server, school, size)
    return 0


if __name__ == "__main__":
    sys.exit(main())
