"""The pictures of docs/pages.md, from a demo school on a Monday at nine: `python -m tests.programs.pictures`.

`make screenshots` runs it. The server's clock is set, so that a picture changes only where its page does; the code on
the projector is a secret, and another one each time. A picture has at most 192 colours and 60 KB.
"""

import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import time_machine
from PIL import Image
from tqdm import tqdm

import tests.support.environment  # noqa: F401  it sets Django up, before any model
from accounts.models import User
from tests.e2e.every_page import View
from tests.e2e.school import DemoSchool, sign_in
from tests.programs import at
from tests.support.browser import Browser
from tests.support.database import Database, databases_of_a_run
from tests.support.processes import ROOT
from tests.support.server import Server

FOLDER = ROOT / "docs" / "pictures"
MOMENT = datetime(2026, 9, 14, 9, 4, tzinfo=UTC)
DESK, PHONE = (1280, 800), (360, 740)
#: Where the school is reached, as on the pages of docs/deploy.md: the server's own port is another one each time.
ADDRESS = "https://attendance.example.org"
COLOURS = 192
LARGEST = 60_000
#: A list of students with each kind of row.
LIST = """\
Roll number,Name,E-mail,Locker
DEMO-01,Asha Rao,asha.rao@demo.example.com,12
DEMO-02,Ben Ortiz,ben.ortiz@demo.example.com,13
DEMO-31,Noor Aziz,noor.aziz@demo.example.com,41
DEMO-32,Piotr Zielinski,piotr.zielinski@demo.example.com,42
DEMO-33,Quinn Walsh,quinn.walsh@demo,43
DEMO-34,Rosa Conti,rosa.conti@demo.example.com,44
"""


@dataclass(frozen=True)
class Picture:
    """One picture: of a view, after `more` was done in the browser."""

    name: str
    view: View
    size: tuple[int, int] = DESK
    colours: str = "light"
    language: str = "en"
    more: Callable[["Studio"], None] = lambda _: None


class Studio:
    """A browser before the demo school."""

    def __init__(self, browser: Browser, server: Server, school: DemoSchool, folder: Path) -> None:
        self.browser, self.server, self.school, self.folder = browser, server, school, folder
        self.code = ""

    def take(self, picture: Picture) -> Image.Image:
        width, height = picture.size
        is_phone = picture.size == PHONE
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": is_phone}
        self.browser.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        self.browser.driver.execute_cdp_cmd("Emulation.setScrollbarsHidden", {"hidden": True})
        features = [
            {"name": "prefers-color-scheme", "value": picture.colours},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]
        self.browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        person = None if picture.view.who is None else self.school.people[picture.view.who]
        sign_in(self.browser, self.server, person, picture.language)
        picture.view.open(self.browser, self.server, self.school)
        picture.more(self)
        self.browser.run("document.activeElement?.blur?.()")
        return Image.open(io.BytesIO(self.browser.driver.get_screenshot_as_png())).convert("RGB")

    def read_code(self) -> None:
        """What the projector shows, for the phone."""
        self.code = self.browser.find(".has-code .projector-code").text.replace("\u2009", "")

    def check_in(self) -> None:
        self.browser.write("#code", self.code)
        self.browser.click("main form button")
        self.browser.find(".check-in-done .status")

    def show_number(self) -> None:
        self.browser.click(".kiosk-begin")
        self.browser.write("#kiosk-code", "DEMO-14")
        self.browser.run("document.querySelector('attendance-kiosk form').requestSubmit()")
        self.browser.find("attendance-kiosk[data-kind]")

    def import_list(self) -> None:
        file = self.folder / "physics.csv"
        file.write_text(LIST)
        self.browser.find("#id_file").send_keys(str(file))
        self.browser.click("main form button.main")
        self.browser.find("main table")


BOARD = View("board", "sessions/{session}/", "teacher")
REPORT = View("report", "classes/{class}/reports", "teacher")
PICTURES = (
    Picture("home", View("home", "", "teacher")),
    Picture("import", View("import", "classes/{class}/import", "teacher"), more=Studio.import_list),
    Picture("board", BOARD),
    Picture("board-dark", BOARD, colours="dark"),
    Picture("board-phone", BOARD, PHONE),
    Picture("projector", View("projector", "sessions/{session}/project", "teacher"), more=Studio.read_code),
    Picture("phone", View("check-in", "check-in/", "late student"), PHONE, more=Studio.check_in),
    Picture("kiosk", View("kiosk", "sessions/{session}/kiosk", "teacher"), more=Studio.show_number),
    Picture("student-dark", View("home", "", "student"), PHONE, "dark"),
    Picture("record", View("record", "sessions/{ended}/", "teacher")),
    Picture("report", REPORT),
    Picture("report-arabic", REPORT, language="ar"),
    Picture("settings", View("class-settings", "classes/{class}/settings", "teacher")),
    Picture("office-report", View("school-report", "office/report", "office")),
)


@contextmanager
def studio() -> Iterator[Studio]:
    with databases_of_a_run() as databases, tempfile.TemporaryDirectory() as folder, Browser() as browser:
        database: Database = databases.fresh()
        with time_machine.travel(MOMENT):
            school = DemoSchool(database)
        school.people["late student"] = database.ask(lambda: User.objects.get(roll_number="DEMO-13"))
        command = [sys.executable, at.SCRIPT, MOMENT.isoformat(), "serve", "--port", "{port}"]
        with Server(database, command, PUBLIC_URL=ADDRESS, LIVE_SESSIONS="per-class", LIMITS="False") as server:
            yield Studio(browser, server, school, Path(folder))


def save(image: Image.Image, path: Path) -> int:
    """How many bytes the picture takes."""
    small = image.quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(path, optimize=True)
    return path.stat().st_size


def main() -> int:
    FOLDER.mkdir(exist_ok=True)
    too_large = []
    with studio() as made:
        for picture in tqdm(PICTURES, desc="Pictures", disable=None):
            size = save(made.take(picture), FOLDER / f"{picture.name}.png")
            print(f"{picture.name}.png: {size} bytes")
            if size > LARGEST:
                too_large.append(picture.name)
    if too_large:
        print(f"More than {LARGEST} bytes: {', '.join(too_large)}")
    return len(too_large)


if __name__ == "__main__":
    sys.exit(main())
