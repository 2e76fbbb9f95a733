"""What a worker knows of itself and of the others."""

import stat
import subprocess
import sys

from core.server.workers import shared_folder, this_worker
from tests.support.processes import ROOT

TELL = "from core.server.workers import this_worker; worker = this_worker(); print(worker.name, worker.folder)"


def test_a_process_alone_is_no_worker() -> None:
    assert this_worker() is None


def test_workers_share_a_private_folder_that_goes_with_them_and_have_names_of_their_own() -> None:
    with shared_folder():
        told = [subprocess.check_output([sys.executable, "-c", TELL], cwd=ROOT, text=True).split() for _ in range(2)]
        worker = this_worker()
        assert worker is not None
        assert [folder for _, folder in told] == [str(worker.folder)] * 2
        assert len({worker.name, *(name for name, _ in told)}) == 3
        assert all(name.isalnum() for name, _ in told)
        assert stat.S_IMODE(worker.folder.stat().st_mode) == 0o700
    assert not worker.folder.exists()
    assert this_worker() is None
