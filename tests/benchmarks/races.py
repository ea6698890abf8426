"""Races over real HTTP: `uv run python -m tests.benchmarks.races [--rounds 20]`. See README.md beside this file."""

import argparse
import asyncio
import signal
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial

from tests.benchmarks import one_wins, sealed_close
from tests.benchmarks.market_of_races import Market, Place, Round, running, visited

MOST_ROUNDS = 100
SECONDS_TO_PREPARE = 300
SECONDS_PER_ROUND = 60

Contest = Callable[[int], Awaitable[Round]]
"""Runs the round of this number."""


@dataclass
class Score:
    """`seconds` of all rounds, the preparation of each included."""

    contest: str
    rounds: list[Round] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def violations(self) -> int:
        return sum(len(round_.violations) for round_ in self.rounds)

    @property
    def latencies(self) -> list[float]:
        return [ms for round_ in self.rounds for ms in round_.latencies]


def main() -> int:
    """The exit code: 0 when no round has shown a violation."""
    rounds = _rounds_asked_for()
    signal.signal(signal.SIGTERM, _stop)
    started = time.monotonic()
    try:
        with running() as place:
            scores, aftermath = asyncio.run(_race(place, rounds))
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 130
    _print_table(scores, aftermath, time.monotonic() - started)
    return 1 if aftermath.violations or any(score.violations for score in scores) else 0


def _rounds_asked_for() -> int:
    parser = argparse.ArgumentParser(description="Races on two API processes, a worker and a throw-away PostgreSQL.")
    parser.add_argument("--rounds", type=int, default=20, choices=range(1, MOST_ROUNDS + 1), metavar="1..100")
    rounds: int = parser.parse_args().rounds
    return rounds


def _stop(signum: int, frame: object) -> None:
    raise SystemExit(128 + signum)


async def _race(place: Place, rounds: int) -> tuple[list[Score], Round]:
    async with asyncio.timeout(SECONDS_TO_PREPARE + 3 * rounds * SECONDS_PER_ROUND), visited(place) as market:
        contests = await _contests(market)
        scores = [await _run(market, name, contest, rounds) for name, contest in contests.items()]
        return scores, await _aftermath(market)


async def _contests(market: Market) -> dict[str, Contest]:
    started = time.monotonic()
    carriers = await one_wins.hire(market)
    hauls = await one_wins.load(market, carriers)
    auction = await sealed_close.invite(market)
    print(f"prepared in {time.monotonic() - started:.1f} s")
    return {
        "offers": partial(one_wins.accept_offers, market, carriers),
        "bids": partial(sealed_close.bid, market, auction),
        "slots": partial(one_wins.book_slots, market, hauls),
    }


async def _run(market: Market, name: str, contest: Contest, rounds: int) -> Score:
    score, started = Score(name), time.monotonic()
    for number in range(1, rounds + 1):
        found = await contest(number)
        found.expect("processes that died", market.place.dead(), [])
        score.rounds.append(found)
        p50, p95 = _percentiles(found.latencies)
        print(f"{name:<7}{number:>3}  {found.note:<42} p50 {p50:>6.0f} ms  p95 {p95:>6.0f} ms", flush=True)
        _print_violations(found)
    score.seconds = time.monotonic() - started
    return score


async def _aftermath(market: Market) -> Round:
    """What must hold of the whole market once it has come to rest."""
    result = Round("aftermath")
    await market.until("SELECT count(*) = 0 FROM event WHERE seq IS NULL", within=30)
    sql = "SELECT count(*) = 0 FROM pgqueuer WHERE status IN ('queued', 'picked')"
    await market.until(sql, within=60)
    result.expect("jobs left behind", await market.value("SELECT count(*) FROM pgqueuer"), 0)
    result.expect("event.seq is 1, 2, 3 …", await market.value("SELECT max(seq) - count(*) FROM event"), 0)
    sql = "SELECT subject_id FROM event GROUP BY subject_id HAVING max(subject_seq) <> count(*)"
    result.expect("subjects with a gap", await market.rows(sql), [])
    sql = "SELECT subject_id FROM event WHERE type = 'listing.closed' GROUP BY subject_id HAVING count(*) > 1"
    result.expect("listings closed twice", await market.rows(sql), [])
    sql = "SELECT kind, subject_id FROM timer WHERE not_before IS NOT NULL"
    result.expect("timers that failed", await market.rows(sql), [])
    _print_violations(result)
    return result


def _percentiles(latencies: list[float]) -> tuple[float, float]:
    cuts = statistics.quantiles(latencies, n=100, method="inclusive")
    return cuts[49], cuts[94]


def _print_violations(found: Round) -> None:
    for violation in found.violations:
        print(f"  VIOLATION {violation}", flush=True)


def _print_table(scores: list[Score], aftermath: Round, seconds: float) -> None:
    print(f"\n{'race':<11}{'rounds':>7}{'requests':>10}{'violations':>12}{'p50 ms':>9}{'p95 ms':>9}{'seconds':>9}")
    for score in scores:
        p50, p95 = _percentiles(score.latencies)
        counts = f"{len(score.rounds):>7}{len(score.latencies):>10}{score.violations:>12}"
        print(f"{score.contest:<11}{counts}{p50:>9.0f}{p95:>9.0f}{score.seconds:>9.1f}")
    print(f"{'aftermath':<11}{'':>7}{'':>10}{len(aftermath.violations):>12}")
    print(f"all in {seconds:.1f} s")


if __name__ == "__main__":
    sys.exit(main())
