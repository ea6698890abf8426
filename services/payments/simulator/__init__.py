"""A Stripe of our own for the sandbox, the demo and the tests: an ASGI app with one SQLite file and no money.

It imitates what `payments` asks of Stripe and answers everything else with "not imitated". It knows neither the
`stripe` library nor the rest of the context; that the real Stripe behaves like this is an assumption until the live
suite has run.
"""

from services.payments.simulator.app import NotLoopback, build_simulator, run
from services.payments.simulator.calls import Behaviour

__all__ = ["Behaviour", "NotLoopback", "build_simulator", "run"]
