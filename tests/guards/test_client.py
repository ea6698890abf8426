"""The client is what the committed document says."""

import subprocess
import sys

from services.hosting import TOP


def test_the_client_equals_its_regeneration() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "clients.sdkgen", "--check"], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
