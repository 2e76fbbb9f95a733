"""What the benchmarks run besides Python: which of those programs are there, and the C programs, compiled."""

import shutil
import subprocess
import sys
from pathlib import Path


def need(*programs: str) -> None:
    """Ends the run with what to install if one of these programs is missing."""
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        sys.exit(f"This benchmark needs {', '.join(missing)}: install what is missing, so that it is on the PATH.")


def compiled(source: Path, folder: Path) -> Path:
    """The program that `source` (C) becomes, in `folder`."""
    need("cc")
    program = folder / source.stem
    subprocess.run(["cc", "-O2", "-o", str(program), str(source)], check=True)
    return program
