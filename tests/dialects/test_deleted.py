"""A dialect is a folder and the lines that name it. Without both, the rest of the project works as before."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db.models import Field

from tests.support.database import Databases, environment_of, manage, run_script
from tests.support.environment import REAL_SETTINGS
from tests.support.processes import ROOT

pytestmark = pytest.mark.long

PARTS = (
    "core",
    "accounts",
    "classes",
    "attendance",
    "notices",
    "dialects",
    "audit",
    "web",
    "attendance_project",
    "manage.py",
    "pyproject.toml",
)
#: The files whose lines mount dialects.
MOUNTS = ("attendance_project/settings.py", "attendance_project/urls.py")
DIALECTS = [
    path.parent.name
    for path in sorted((ROOT / "dialects").glob("*/__init__.py"))
    if path.parent.name != "socketio"  # no dialect, but the part that two dialects share
]

#: Loads the whole server, and makes and fills the database.
PROGRAM = """
from pathlib import Path

import attendance_project.asgi
from django.core.management import call_command
from django.test import Client

call_command("check")
call_command("makemigrations", check=True, dry_run=True, verbosity=0)
call_command("migrate", verbosity=0)
call_command("demo")
assert Client().get("/readyz").status_code == 200
assert Path(attendance_project.asgi.__file__).is_relative_to(Path.cwd()), "this is not the copy"
"""


def copy_without(dialect: str, place: Path) -> Path:
    """The project without the dialect's folder and the lines that name it."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, place / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place / part)
    shutil.rmtree(place / "dialects" / dialect)
    for mount in MOUNTS:
        lines = (place / mount).read_text().splitlines(keepends=True)
        (place / mount).write_text("".join(line for line in lines if not re.search(rf"\bdialects\.{dialect}\b", line)))
    return place


@pytest.mark.parametrize("dialect", DIALECTS)
def test_the_project_works_without_a_dialect_and_takes_it_back(
    databases: Databases, tmp_path: Path, dialect: str
) -> None:
    has_tables = apps.is_installed(f"dialects.{dialect}")
    database = databases.empty() if has_tables else databases.fresh()
    place = copy_without(dialect, tmp_path)
    (place / "load_all.py").write_text(PROGRAM)
    done = run_script("load_all.py", env=environment_of(database, REAL_SETTINGS), cwd=place)
    assert done.returncode == 0, done.stderr
    assert "Demo class" in done.stdout
    if has_tables:
        back = manage("migrate", "--verbosity", "0", database=database)
        assert back.returncode == 0, back.stderr


def test_the_tables_of_dialects_and_of_others_have_no_foreign_keys_to_each_other() -> None:
    """A foreign key would stay behind in the database, where the folder is deleted and its tables are not."""
    found = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.get_fields()
        if isinstance(field, Field) and field.is_relation and field.related_model is not None
        if home(model) != home(field.related_model) and "dialects" in (home(model)[0], home(field.related_model)[0])
    ]
    assert found == []


def home(model: Any) -> list[str]:
    """The package of a model, down to a dialect's folder."""
    return str(model.__module__).split(".")[:2]
