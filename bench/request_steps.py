"""Where the time of one request goes, by step, the plain way and the quick way (`core.rest.quick`).

    python -m bench.request_steps        # writes request-steps.json, which `make bench-docs` takes into the page

The steps are timed in a thread of this process (its CPU time), on a new SQLite database. What uvicorn takes, and the
way to a thread and back, are not among them.
"""

import argparse
import contextlib
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any
from unittest.mock import patch

import bench.environment  # noqa: F401  before any model
from bench import fixtures, rest
from bench.cores import keep_off_the_server
from bench.fixtures import Lesson
from bench.request_steps_table import (
    AUDIT,
    BODY,
    DISPATCH,
    ENVELOPE,
    ENVIRONMENT,
    FIELDS,
    HANDLER,
    PERMISSION,
    QUICK,
    RESOLVING,
    STATEMENTS,
    TOKEN,
    VIEW,
    WAYS,
    table,
)
from bench.results import FOLDER, Figures, machine, made_by, say, write
from bench.table import columns
from bench.watch import Watch
from tests.support.database import Database

#: Requests of each route and way, in rounds. The quickest round counts: others' work only ever adds to one.
ROUNDS, REQUESTS = 15, 200

#: Step → what is watched, by the module and the name in it.
WATCHED = {
    ENVIRONMENT: ["core.server.wsgi_bridge._environ"],
    HANDLER: ["django.core.handlers.wsgi.WSGIHandler.__call__"],
    RESOLVING: ["django.urls.resolvers.URLResolver.resolve"],
    DISPATCH: ["rest_framework.views.APIView.dispatch"],
    QUICK: ["core.rest.quick.Quick.__call__"],
    TOKEN: ["accounts.authentication.TokenAuthentication.authenticate"],
    PERMISSION: ["core.rest.permissions.MayUse.has_permission"],
    BODY: ["core.rest.serializers.InputSerializer.read"],
    VIEW: [
        *("accounts.views.Me.get", "classes.views.ClassDetail.get"),
        *("attendance.views.MyAttendance.get", "attendance.views.AttendanceStart.post"),
    ],
    STATEMENTS: ["core.database.prepared.Prepared.rows"],
    FIELDS: ["core.rest.serializers.OutputSerializer.show"],
    ENVELOPE: ["core.rest.envelope.EnvelopeRenderer.render"],
    AUDIT: ["audit.middleware.note"],
}


@contextlib.contextmanager
def watching() -> Iterator[Watch]:
    """Every step of WATCHED is timed."""
    watch = Watch()
    with contextlib.ExitStack() as patches:
        for step, paths in WATCHED.items():
            for path in paths:
                place, _, name = path.rpartition(".")
                owner = resolve_name(place)
                found = vars(owner)[name]
                is_of_class = isinstance(found, classmethod)
                timed: Any = watch.watched(step, found.__func__ if is_of_class else found)
                patches.enter_context(patch.object(owner, name, classmethod(timed) if is_of_class else timed))
        yield watch


def routes_of(lesson: Lesson) -> dict[str, rest.Route]:
    """The routes, by name; the class's session is open."""
    teacher, student, class_id = lesson.teacher_token, lesson.student_tokens[0], lesson.class_id
    return {
        "GET /auth/me": rest.Route("GET", "/auth/me", teacher),
        "GET /class/:id": rest.Route("GET", f"/class/{class_id}", teacher),
        "GET /class/:id/my-attendance": rest.Route("GET", f"/class/{class_id}/my-attendance", student),
        "POST /attendance/start": rest.Route("POST", "/attendance/start", teacher, {"classId": class_id}),
    }


def steps_of(route: rest.Route, *, quickly: bool) -> dict[str, float]:
    """µs a request by step, in this thread."""
    from django.core.handlers.wsgi import WSGIHandler

    from audit import middleware
    from core import strict_json
    from core.rest.quick import Quick
    from core.server import wsgi_bridge
    from core.server.bodies import Body

    body = b"" if route.body is None else strict_json.dumps(route.body).encode()
    headers = [(b"host", b"127.0.0.1"), (b"authorization", route.token.encode())]
    headers += [(b"content-type", b"application/json")] if body else []
    scope = {"method": route.method, "path": route.path, "headers": headers, "client": ("127.0.0.1", 5)}

    with watching() as watch:
        application: Any = WSGIHandler()
        quick: Any = Quick(application, middleware.note) if quickly else lambda environ: None

        def ask() -> int:
            environ = wsgi_bridge._environ(scope, Body(body, len(body), False))
            answer = quick(environ)
            if answer is not None:
                return int(answer[0]["status"])
            said: list[str] = []
            response = application(environ, lambda status, _: said.append(status))
            b"".join(response)
            response.close()
            return int(said[0][:3])

        rounds = []
        for _ in range(ROUNDS + 1):
            watch.seconds.clear()
            if any(ask() != 200 for _ in range(REQUESTS)):
                raise RuntimeError(f"{route.path} is not answered 200")
            rounds.append({step: 1e6 * seconds / REQUESTS for step, seconds in watch.seconds.items()})
    return min(rounds[1:], key=lambda found: sum(found.values()))


def measure(database: Database, lesson: Lesson) -> Figures:
    """By route: µs a request by step, of each way."""
    found: Figures = {}
    for name, route in routes_of(lesson).items():
        found[name] = {way: database.ask(partial(steps_of, route, quickly=way == "quick")) for way in WAYS}
        say(f"  {name}: " + ", ".join(f"{way} {sum(found[name][way].values()):.0f} µs" for way in WAYS))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="for the result (default: %(default)s)")
    arguments = parser.parse_args()
    keep_off_the_server()
    made = made_by("python -m bench.request_steps")
    with fixtures.databases() as databases:
        database = databases.fresh()
        lesson = fixtures.fill(database, students=30)[0]
        result = {"made": made, "machine": machine(), "routes": measure(database, lesson)}
    print(columns(table(result)))
    print(write(arguments.folder, "request-steps", result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
