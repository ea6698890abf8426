"""Things that are dealt with together."""

import asyncio
from collections.abc import Sequence

import pytest

from services.kernel.gathering import MOST, Gathering


class Dealer:
    """Answers ten times the number; what is called "slow" waits until it may go on."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, int]]] = []
        self.may_go_on = asyncio.Event()

    async def deal(self, batch: Sequence[tuple[str, int]]) -> list[int]:
        self.batches.append(list(batch))
        if any(key == "slow" for key, _ in batch):
            await self.may_go_on.wait()
        if any(key == "broken" for key, _ in batch):
            raise RuntimeError("broken")
        await asyncio.sleep(0.001)
        return [10 * number for _, number in batch]


async def test_what_arrives_meanwhile_goes_together_in_its_order() -> None:
    dealer = Dealer()
    gathering = Gathering(dealer.deal, key=lambda thing: thing[0])
    assert await asyncio.gather(*(gathering.bring(("a", n)) for n in range(MOST + 3))) == [
        10 * n for n in range(MOST + 3)
    ]
    assert [len(batch) for batch in dealer.batches] == [MOST, 3]
    assert [number for batch in dealer.batches for _, number in batch] == list(range(MOST + 3))


async def test_one_that_takes_long_holds_up_its_own_kind_alone() -> None:
    dealer = Dealer()
    gathering = Gathering(dealer.deal, key=lambda thing: thing[0])
    slow = asyncio.create_task(gathering.bring(("slow", 1)))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    also_slow = asyncio.create_task(gathering.bring(("slow", 2)))
    assert await asyncio.wait_for(gathering.bring(("quick", 3)), timeout=2) == 30
    assert dealer.batches == [[("slow", 1)], [("quick", 3)]]
    dealer.may_go_on.set()
    assert (await slow, await also_slow) == (10, 20)


async def test_what_breaks_is_told_to_everybody_in_it_and_to_nobody_else() -> None:
    gathering = Gathering(Dealer().deal, key=lambda thing: thing[0])
    told = await asyncio.gather(*(gathering.bring(("broken", n)) for n in range(2)), return_exceptions=True)
    assert [type(one) for one in told] == [RuntimeError, RuntimeError]
    assert await gathering.bring(("a", 4)) == 40


@pytest.mark.parametrize("abandoned", [0, 1])
async def test_nobody_waits_for_who_has_gone(abandoned: int) -> None:
    gathering = Gathering(Dealer().deal, key=lambda thing: thing[0])
    waiting = [asyncio.create_task(gathering.bring(("a", n))) for n in range(2)]
    await asyncio.sleep(0)
    waiting[abandoned].cancel()
    assert await waiting[1 - abandoned] == 10 * (1 - abandoned)
