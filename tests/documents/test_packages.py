"""The locks install what the requirements name, by hash, and docs/licences.md lists what the server runs on."""

import re

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.documents.markdown import read, rows

#: What a package's licence may be, in the words of the packages. A new one is read before it is added.
TAKEN = {
    "0BSD",
    "Apache Software License",
    "Apache-2.0",
    "BSD",
    "BSD License",
    "BSD 3-Clause",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "GNU Lesser General Public License v3 or later (LGPLv3+)",
    "LGPL-3.0-only",
    "LGPL-3.0-or-later",
    "MIT",
    "MIT License",
    "MIT-0",
    "MPL-2.0",
    "Mozilla Public License 2.0 (MPL 2.0)",
    "PSF-2.0",
    "TCL",
    "ZPL-2.1",
}
#: The newest Python on which the server is tried. Packages for older ones only need not be listed.
LINUX = {"sys_platform": "linux", "python_version": "3.13", "python_full_version": "3.13.0"}


def requirements(name: str) -> dict[str, str]:
    """The pins of a requirements file and of the files that it takes in: `==`'s version by name."""
    found: dict[str, str] = {}
    for line in read(name).splitlines():
        if line.startswith(("-r ", "-c ")):
            found |= requirements(line[3:])
        elif line and not line.startswith("#"):
            requirement = Requirement(line)
            found[canonicalize_name(requirement.name)] = str(requirement.specifier)
    return found


def locked(name: str) -> dict[str, Requirement]:
    """What a lock installs, by name. Fails for an entry without a hash."""
    entries = re.split(r"\n(?=\w)", re.sub(r"^\s*#.*\n", "", read(name), flags=re.MULTILINE))
    assert all("--hash=sha256:" in entry for entry in entries)
    found = [Requirement(entry.partition("\\\n")[0]) for entry in entries]
    return {canonicalize_name(each.name): each for each in found}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev", "requirements-bench", "requirements-fuzzing"])
def test_a_lock_has_the_versions_of_the_requirements_and_of_what_they_bring(name: str) -> None:
    pinned = requirements(f"{name}.txt")
    brought = requirements("constraints.txt")
    found = {package: str(requirement.specifier) for package, requirement in locked(f"{name}.lock").items()}
    assert found == {package: version for package, version in pinned.items() if package in found}, "run: make lock"
    assert pinned.keys() - brought.keys() <= found.keys(), "run: make lock"


def test_the_locks_of_the_benchmarks_and_of_the_release_have_what_they_name() -> None:
    assert locked("requirements-bench.lock").keys() == requirements("requirements-bench.txt").keys()
    release = {package: str(found.specifier) for package, found in locked("requirements-release.lock").items()}
    assert requirements("requirements-release.txt").items() <= release.items()


HEADING = "Licences of what the server runs on"


def licences() -> dict[str, tuple[str, str]]:
    """(version, licence) by the package's name."""
    return {
        canonicalize_name(name): (version, licence)
        for name, version, licence, *_ in rows(read("docs/licences.md"), HEADING)
    }


def test_the_licences_are_of_what_the_server_runs_on() -> None:
    packages = locked("requirements.lock")
    needed = {name for name, found in packages.items() if found.marker is None or found.marker.evaluate(LINUX)}
    assert needed <= licences().keys() <= packages.keys(), "run: make licences"
    for name, (version, _) in licences().items():
        assert str(packages[name].specifier) == f"=={version}", "run: make licences"


def test_every_licence_is_known_and_taken() -> None:
    for name, (_, licence) in licences().items():
        assert set(re.split(r"; | AND | OR ", licence)) <= TAKEN, name
