"""Real commits, real connections: one carrier wins, one lorry has the dock."""

import asyncio
from collections import Counter

import httpx
import pytest

from tests.conftest import Race
from tests.factories import pickups as make
from tests.factories.parties import Party

pytestmark = pytest.mark.race


async def _accept(race: Race, carrier: Party) -> httpx.Response:
    (offer,) = await make.offers_to(race.client, carrier)
    return await race.client.post(f"/v1/offers/{offer['id']}/accept", headers=carrier.headers)


async def test_of_fifty_carriers_that_accept_at_once_one_has_the_job(race: Race) -> None:
    carriers = [await make.carrier(race.sessions, f"Carrier {number}") for number in range(50)]
    haul = await make.tendered(race.client, race.sessions, carriers, strategy="broadcast")

    answers = await asyncio.gather(*(_accept(race, carrier) for carrier in carriers))

    codes = Counter(answer.json().get("code") for answer in answers)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 49}
    assert codes["offer_not_open"] == 49
    assert await race.value("SELECT count(*) FROM carrier_offer WHERE status = 'accepted'") == 1
    assert await race.value("SELECT count(*) FROM event WHERE type = 'pickup.accepted'") == 1
    assert (await race.client.get(haul.url, headers=haul.owner.headers)).json()["status"] == "accepted"


async def test_of_thirty_lorries_that_book_one_dock_at_once_one_has_it(race: Race) -> None:
    first = await make.accepted(race.client, race.sessions)
    again = {"seller": first.seller, "receiver": first.receiver, "hauler": first.carrier}
    hauls = [first, *[await make.accepted(race.client, race.sessions, **again) for _ in range(29)]]

    answers = await asyncio.gather(
        *(
            race.client.post(f"{haul.url}/book_slot", json=make.a_slot(haul), headers=haul.carrier.headers)
            for haul in hauls
        )
    )

    codes = Counter(answer.json().get("code") for answer in answers)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 29}
    assert codes["slot_taken"] == 29
    assert await race.value("SELECT count(*) FROM dock_slot") == 1
