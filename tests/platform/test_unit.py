"""packaging/levada.service, as systemd reads it; where systemd-analyze is."""

import os
import pathlib
import shutil
import subprocess

import pytest

from conftest import BINARY

UNIT = pathlib.Path(os.environ["LEVADA_SOURCE"]) / "packaging/levada.service"
# Ten times systemd's "exposure level", which is 10 for a service without any hardening and was 1.1 when this was written:
# what is left is that it has a network and local sockets.
EXPOSURE_MAX = 15

pytestmark = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze")


@pytest.fixture
def unit(tmp_path):
    """The unit with the binary that is tested: what it starts has to be there."""
    path = tmp_path / UNIT.name
    path.write_text(UNIT.read_text().replace("/usr/bin/levada", BINARY))
    return path


def test_it_is_a_unit(unit):
    ran = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0 and not ran.stderr, ran


def test_it_may_do_little(unit):
    ran = subprocess.run(["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={EXPOSURE_MAX}", unit],
                         capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stdout
