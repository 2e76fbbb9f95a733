"""What the board's page costs the server: HTML of a lesson that is under way, as its teacher's browser asks for it."""

import re

import httpx

from bench import rest
from bench.programs import need
from bench.results import Figures
from bench.servers import PASSWORD, Server

STUDENTS = 30


def board(server: Server, *, seconds: int, connections: int) -> Figures:
    """One run of wrk on the page of a class of STUDENTS, with the figures of `rest.load`, and `students`."""
    need("wrk")
    _, teacher = server.person("Teacher", "teacher")
    class_id = server.call("POST", "/class", {"className": "Class"}, teacher)["_id"]
    server.enrol(class_id, [f"Student {number}" for number in range(STUDENTS)], teacher)
    server.call("POST", "/attendance/start", {"classId": class_id}, teacher)
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=60) as browser:
        token = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', browser.get("/app/sign-in").text)[0]
        form = {"csrfmiddlewaretoken": token, "login": "teacher@example.com", "password": PASSWORD}
        home = browser.post("/app/sign-in", data=form, headers={"Origin": server.url, "Referer": server.url})
        path = re.findall(r'href="(/app/sessions/[^"/]+/)"', home.text)[0]
        cookies = "; ".join(f"{cookie.name}={cookie.value}" for cookie in browser.cookies.jar)
    route = rest.Route("GET", path, cookies=cookies)
    rest.load(server, route, seconds=1, connections=connections)
    return {"students": STUDENTS, **rest.load(server, route, seconds=seconds, connections=connections)}
