"""Many hands sign one inspection at once."""

import asyncio

import httpx
import pytest

from tests.conftest import Race
from tests.factories.listings import motors
from tests.factories.orders import delivered, held, open_market, received


@pytest.mark.race
async def test_of_eight_inspections_at_once_one_settles(race: Race) -> None:
    async with open_market(race.runtime, race.client) as market:
        order = await held(market, [motors()])
        await delivered(market, order)
        receipt = await received(market, order)
        line_id = (await market.lines(order))["Electric motors"].id
        whole = {"line_id": line_id, "accepted": {"mass": {"value": "12", "unit": "t"}, "quantity": 40}}

        async def inspect() -> httpx.Response:
            url, headers = f"/v1/receipts/{receipt.id}/inspect", market.buyer.headers | {"If-Match": "*"}
            return await race.client.post(url, json={"lines": [whole]}, headers=headers)

        answers = await asyncio.gather(*(inspect() for _ in range(8)))

        assert sorted(answer.status_code for answer in answers) == [200] + [409] * 7
        assert (await market.deal(order)).accepted_minor == 144_000
        assert await race.value("SELECT used_g FROM permit_scope WHERE used_g > 0") == 12_000_000
        assert (await market.told(receipt.id)) == ["receipt.inspected"]
