"""`gateway simulate-platform` leaves nothing running behind it."""

import signal
import subprocess
import sys
from pathlib import Path

PATIENCE_SECONDS = 60


def test_the_simulated_platform_stops_its_embedded_database_with_itself(tmp_path):
    tmp_path.chmod(0o755)
    command = [str(Path(sys.executable).parent / "gateway"), "simulate-platform", "--port", "0"]
    with subprocess.Popen([*command, "--data-dir", str(tmp_path)], stderr=subprocess.PIPE, text=True) as platform:
        try:
            assert platform.stderr is not None
            assert any("Application startup complete" in line for line in platform.stderr)
            assert (tmp_path / "postgresql" / "postmaster.pid").exists()
            platform.send_signal(signal.SIGTERM)
            platform.stderr.read()
            assert platform.wait(PATIENCE_SECONDS) == 0
        finally:
            platform.kill()
    assert not (tmp_path / "postgresql" / "postmaster.pid").exists()
