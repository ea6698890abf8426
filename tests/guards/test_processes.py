"""The worker process alone must know every handler and every event: in tests the app is always there and would hide a gap."""

import subprocess
import sys

from services import app
from services.hosting import TOP
from services.kernel import events, jobs, timers

_LIST = (
    "import services.worker; from services.kernel import events, jobs, timers;"
    "print(*sorted([*jobs.HANDLERS, *timers.HANDLERS, *events.CATALOGUE]), sep='\\n')"
)


def test_the_worker_registers_what_the_app_does() -> None:
    assert app.CONTEXTS
    alone = subprocess.run([sys.executable, "-c", _LIST], cwd=TOP, capture_output=True, text=True, check=True)
    known = {name for name in [*jobs.HANDLERS, *timers.HANDLERS, *events.CATALOGUE] if not name.startswith("test.")}
    assert known - set(alone.stdout.split()) == set()
