"""What a command, and a server, load before they do anything: nothing heavy that they have no use for."""

import json
import subprocess
import sys

import pytest

from tests.support.database import Databases, environment_of
from tests.support.processes import ROOT

#: What takes long to import, or much memory, and is used in few places. Whoever needs it imports it there.
FEW_USE = {
    *("authlib", "joserfc", "requests"),  # signing in with the school's accounts
    *("icalendar", "recurring_ical_events", "openpyxl", "python_calamine", "xlrd"),  # files
    *("psycopg", "pymongo", "redis"),  # what this database and these settings do not need
    *("daphne", "twisted", "pygments"),
}
#: What a server needs and most commands do not.
SERVERS_ALONE = {
    *("drf_spectacular.openapi", "rest_framework.compat", "socketio", "uvicorn", "websockets"),
    *("accounts.admin", "attendance.live.process", "attendance_project.urls"),
}

TELL = """
import gc, json, sys
from django.core.management import get_commands, load_command_class
for name in ("backup", "export_attendance", "find_doubles", "import_roster", "invite", "send_notices"):
    load_command_class(get_commands()[name], name)
command = [*sys.modules]
import attendance_project.asgi, attendance_project.urls
print(json.dumps([command, [*sys.modules], gc.isenabled(), gc.get_freeze_count()]))
"""


@pytest.mark.one_database("the others need their drivers")
def test_a_command_loads_no_server_and_a_server_nothing_that_few_use(databases: Databases) -> None:
    # Not by the starter of the tests, which has libraries loaded already.
    told = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", TELL],
        cwd=ROOT,
        env=environment_of(databases.fresh(), {}),
        capture_output=True,
        check=True,
    )
    command, server, collects, frozen = json.loads(told.stdout)
    assert (FEW_USE | SERVERS_ALONE) & set(command) == set()
    assert FEW_USE & set(server) == set()
    assert set(server) >= SERVERS_ALONE, "a module has another name now"
    assert collects, "garbage is collected once all is loaded"
    assert frozen > 10_000, "what is loaded is not visited"
