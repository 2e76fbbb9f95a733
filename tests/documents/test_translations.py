"""The catalogues of pages, mails and errors: none is behind its source or untranslated; what is compiled is current.

Days and times are written as each language writes them.
"""

import functools
import gettext
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import formats, translation

from tests.support.processes import ROOT

#: Every app that has catalogues, and every language that it has them in.
CATALOGUES = [
    (str(locale.parent.relative_to(ROOT)), language)
    for locale in sorted([*ROOT.glob("*/locale"), *ROOT.glob("*/*/locale")])
    for language, _ in settings.LANGUAGES
    if language != "en"
]
#: What stands for a value that is filled in.
PLACES = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")

#: An entry of a catalogue: its context, and its source as it is wrapped.
ENTRY = re.compile(r'^(?:msgctxt "(.*)"\n)?msgid ((?:".*"\n?)+)', re.MULTILINE)

needs_gettext = pytest.mark.skipif(not shutil.which("xgettext"), reason="no gettext here")


def catalogue(app: str, language: str) -> Path:
    return ROOT / app / "locale" / language / "LC_MESSAGES" / "django.po"


def compiled(po: Path, into: Path) -> dict[object, str]:
    """Source, or source and number of the plural's form → translation. The empty source is the head."""
    mo = into / f"{po.parent.parent.name}.mo"
    subprocess.run(["msgfmt", "--check-format", "-o", str(mo), str(po)], check=True, capture_output=True)
    return read(mo)


def read(mo: Path) -> dict[object, str]:
    with mo.open("rb") as file:
        found: dict[object, str] = dict(gettext.GNUTranslations(file)._catalog)  # type: ignore[attr-defined]
    return found


@functools.cache
def sources(app: str) -> set[tuple[str, str]]:
    """Every sentence of an app, as its code and templates have them now."""
    with tempfile.TemporaryDirectory() as folder:
        return _sources(app, Path(folder) / Path(app).name)


def _sources(app: str, copy: Path) -> set[tuple[str, str]]:
    shutil.copytree(ROOT / app, copy, ignore=shutil.ignore_patterns("locale", "__pycache__"))
    (copy / "locale").mkdir()
    command = [sys.executable, "-P", "-m", "django", "makemessages", "--locale", "de", "--no-location"]
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    subprocess.run(command, cwd=copy, env=environment, check=True, capture_output=True)
    po = copy / "locale" / "de" / "LC_MESSAGES" / "django.po"
    return set(_keys(po.read_text()))


def _keys(text: str) -> list[tuple[str, str]]:
    """Context and source of each entry of a catalogue's text."""
    found = [(context, "".join(re.findall(r'"(.*)"', source))) for context, source in ENTRY.findall(text)]
    return [key for key in found if key[1]]  # the empty source is the head


@needs_gettext
@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_no_catalogue_is_behind_its_app(app: str, language: str) -> None:
    keys = _keys(catalogue(app, language).read_text())
    assert len(keys) == len(set(keys))
    assert set(keys) == sources(app), "make messages, then translate what is new"


@needs_gettext
@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_everything_is_translated_with_all_of_its_places(app: str, language: str, tmp_path: Path) -> None:
    text = catalogue(app, language).read_text()
    assert "fuzzy" not in text
    for key, said in compiled(catalogue(app, language), tmp_path).items():
        source = str(key[0] if isinstance(key, tuple) else key).rpartition("\x04")[2]
        if not source:
            continue
        assert said, source
        assert set(PLACES.findall(said)) == set(PLACES.findall(source)), source
    untranslated = re.findall(r'^msgstr(?:\[\d\])? ""\n(?!")', text, re.MULTILINE)
    assert untranslated == []


@needs_gettext
@pytest.mark.parametrize(("app", "language"), CATALOGUES)
def test_what_is_compiled_is_what_is_translated(app: str, language: str, tmp_path: Path) -> None:
    po = catalogue(app, language)
    assert read(po.with_suffix(".mo")) == compiled(po, tmp_path), "make messages"


@pytest.mark.parametrize("language", [code for code, _ in settings.LANGUAGES])
def test_each_language_tells_morning_from_evening_and_writes_the_days_of_short_forms_alike(language: str) -> None:
    morning, evening = (datetime(2026, 11, 28, hour, 30, tzinfo=UTC) for hour in (9, 21))
    with translation.override(language):
        for form in ("TIME_FORMAT", "DATETIME_FORMAT", "SHORT_DATETIME_FORMAT"):
            assert formats.date_format(morning, form) != formats.date_format(evening, form), form
        assert formats.date_format(morning, "SHORT_DATETIME_FORMAT").startswith(
            formats.date_format(morning, "SHORT_DATE_FORMAT")
        )
