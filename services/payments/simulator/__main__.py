"""`python -m services.payments.simulator --port 12111 --state FILE --deliver-to http://127.0.0.1:8000`"""

import argparse
from pathlib import Path

from services.payments.simulator.app import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m services.payments.simulator", description="A simulated Stripe.")
    parser.add_argument("--port", type=int, default=12111)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address; any other is refused")
    parser.add_argument("--state", type=Path, help="a SQLite file; without it everything is forgotten at the end")
    parser.add_argument("--deliver-to", help="the platform's address, to which events are sent")
    parser.add_argument("--secret", default="whsec_simulated", help="signs the events of /stripe/platform")
    parser.add_argument("--thin-secret", help="signs those of /stripe/accounts; the same one unless named")
    given = parser.parse_args()
    run(
        port=given.port,
        state=given.state,
        deliver_to=given.deliver_to,
        secret=given.secret,
        host=given.host,
        thin_secret=given.thin_secret,
    )


if __name__ == "__main__":
    main()
