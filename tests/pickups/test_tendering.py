"""Asking carriers: one winner, nobody forgotten, nobody late."""

from datetime import date, timedelta

import httpx
from sqlalchemy import update

from services.kernel import clock
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.ids import OrgId, PickupId
from services.kernel.unit_of_work import UnitOfWork
from services.parties.models import Permit
from services.pickups import tendering
from services.pickups.models import Offer
from tests.conftest import Advance
from tests.factories import pickups as make
from tests.factories.parties import organization, permit
from tests.pickups.conftest import Heard


async def test_a_waterfall_asks_the_first_carrier_only(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)

    await make.tendered(client, sessions, [habicht, fulda])

    assert [offer["status"] for offer in await make.offers_to(client, habicht)] == ["offered"]
    assert await make.offers_to(client, fulda) == []


async def test_a_decline_asks_the_next_carrier_at_once(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht, fulda])
    (offer,) = await make.offers_to(client, habicht)

    await make.did(client, habicht, f"/v1/offers/{offer['id']}/decline", {"reason": "no_adr_vehicle"})

    assert [offer["status"] for offer in await make.offers_to(client, fulda)] == ["offered"]
    assert [event["type"] for event in await heard(haul.owner.org.id)][-5:] == [
        "pickup.planned",
        "pickup.tendered",
        "offer.made",
        "offer.declined",
        "offer.made",
    ]


async def test_whoever_declined_cannot_accept_any_more(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    await make.tendered(client, sessions, [habicht, fulda])
    (offer,) = await make.offers_to(client, habicht)
    await make.did(client, habicht, f"/v1/offers/{offer['id']}/decline", {"reason": "no_capacity"})

    late = await client.post(f"/v1/offers/{offer['id']}/accept", headers=habicht.headers)

    assert late.status_code == 409
    assert late.json()["code"] == "offer_not_open"


async def test_silence_asks_the_next_carrier_when_the_time_is_over(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance
) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    await make.tendered(client, sessions, [habicht, fulda])
    (first,) = await make.offers_to(client, habicht)

    await advance(timedelta(hours=2, minutes=1))

    (expired,) = await make.offers_to(client, habicht)
    (second,) = await make.offers_to(client, fulda)
    assert expired["status"] == "expired"
    assert second["status"] == "offered"
    assert second["offered_at"] == first["expires_at"]


async def test_an_accept_after_its_time_is_late_though_no_timer_has_run(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    fulda = await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [fulda])
    (offer,) = await make.offers_to(client, fulda)
    async with sessions() as session:
        await clock.advance(session, timedelta(hours=2))
        await session.commit()

    shown = await client.get(f"/v1/offers/{offer['id']}", headers=fulda.headers)
    late = await client.post(f"/v1/offers/{offer['id']}/accept", headers=fulda.headers)

    assert shown.json()["allowed_transitions"] == []
    assert late.status_code == 409
    assert late.json()["code"] == "offer_not_open"
    assert (await client.get(haul.url, headers=haul.owner.headers)).json()["status"] == "tendering"


def test_an_offer_is_open_before_its_end_and_not_at_it() -> None:
    ends_at = make.monday()
    offer = Offer(
        pickup_id=PickupId.new(),
        owner_id=OrgId.new(),
        carrier_id=OrgId.new(),
        position=1,
        price_minor=65_000,
        currency="EUR",
        status="offered",
        expires_at=ends_at,
        livemode=False,
        created_at=ends_at,
    )

    assert offer.is_open(ends_at - timedelta(microseconds=1))
    assert not offer.is_open(ends_at)


async def test_a_timer_that_comes_after_the_answer_changes_nothing(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.accepted(client, sessions)
    (offer,) = await make.offers_to(client, haul.carrier)

    async with UnitOfWork(sessions, system(livemode=False), now=make.monday()) as work:
        await tendering.expire(work, offer["id"])

    assert [offer["status"] for offer in await make.offers_to(client, haul.carrier)] == ["accepted"]


async def test_when_nobody_is_left_the_owner_is_told_and_may_ask_again(
    client: httpx.AsyncClient, sessions: Sessions, advance: Advance, heard: Heard
) -> None:
    fulda = await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [fulda])
    await advance(timedelta(hours=3))

    told = [event["type"] for event in await heard(haul.owner.org.id)]
    again = await client.post(f"{haul.url}/tender", json=make.a_tender(fulda), headers=haul.owner.headers)

    assert told[-2:] == ["offer.expired", "pickup.tender_exhausted"]
    assert again.json()["status"] == "tendering"
    assert [offer["status"] for offer in await make.offers_to(client, fulda)] == ["offered", "expired"]


async def test_a_broadcast_asks_everybody_and_the_first_to_accept_has_it(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht, fulda], strategy="broadcast")
    (offer,) = await make.offers_to(client, fulda)

    await make.did(client, fulda, f"/v1/offers/{offer['id']}/accept")

    job = (await client.get(haul.url, headers=haul.owner.headers)).json()
    assert job["status"] == "accepted"
    assert job["carrier_id"] == fulda.org.id
    assert job["price"] == {"amount": "650.00", "currency": "EUR"}
    assert [offer["status"] for offer in await make.offers_to(client, habicht)] == ["superseded"]
    assert [event["type"] for event in await heard(habicht.org.id)][-1] == "offer.superseded"


async def test_a_broadcast_is_exhausted_when_the_last_declines(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht, fulda], strategy="broadcast")
    (first,) = await make.offers_to(client, habicht)
    (last,) = await make.offers_to(client, fulda)

    await make.did(client, habicht, f"/v1/offers/{first['id']}/decline", {"reason": "no_capacity"})
    between = (await client.get(haul.url, headers=haul.owner.headers)).json()["status"]
    await make.did(client, fulda, f"/v1/offers/{last['id']}/decline", {"reason": "no_capacity"})
    after = (await client.get(haul.url, headers=haul.owner.headers)).json()["status"]

    assert (between, after) == ("tendering", "exhausted")


async def test_a_carrier_that_was_never_asked_hears_nothing(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    await make.tendered(client, sessions, [habicht, fulda])
    (offer,) = await make.offers_to(client, habicht)

    await make.did(client, habicht, f"/v1/offers/{offer['id']}/accept")

    assert await heard(fulda.org.id) == []


async def test_ineligible_carriers_are_all_named_with_their_reasons(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.planned(client, sessions)
    baker = await organization(sessions, roles=["holder"], name="Baker")
    lapsed = await make.carrier(sessions, "Lapsed", valid_until=date(2021, 1, 1))

    answer = await client.post(
        f"{haul.url}/tender", json=make.a_tender(haul.carrier, baker, lapsed), headers=haul.owner.headers
    )

    told = [(error["code"], error["detail"].split(":")[0]) for error in answer.json()["errors"]]
    assert answer.status_code == 409
    assert told == [("not_a_carrier", "Baker"), ("permit_scope", "Baker"), ("permit_expired", "Lapsed")]
    assert await make.offers_to(client, haul.carrier) == []


async def test_an_owner_does_not_offer_the_job_to_itself(client: httpx.AsyncClient, sessions: Sessions) -> None:
    both = await organization(sessions, roles=["recycler", "carrier"], name="Batteriehof")
    await permit(sessions, both, kind="transport", number="T-1")
    haul = await make.planned(client, sessions, receiver=both)

    answer = await client.post(f"{haul.url}/tender", json=make.a_tender(both), headers=both.headers)

    assert answer.json()["code"] == "carrier_is_owner"


async def test_a_price_above_the_ceiling_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.planned(client, sessions, ceiling="700.00")

    over = await client.post(
        f"{haul.url}/tender", json=make.a_tender(haul.carrier, price="700.01"), headers=haul.owner.headers
    )
    at = await client.post(
        f"{haul.url}/tender", json=make.a_tender(haul.carrier, price="700.00"), headers=haul.owner.headers
    )

    assert over.json()["code"] == "price_above_ceiling"
    assert at.status_code == 200


async def test_impossible_offers_are_pointed_at(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.planned(client, sessions)
    body = make.a_tender(haul.carrier, haul.carrier, haul.carrier)
    body["offers"][1]["price"] = {"amount": "1.00", "currency": "USD"}
    body["offers"][2]["carrier_id"] = OrgId.new()

    answer = await client.post(f"{haul.url}/tender", json=body, headers=haul.owner.headers)

    assert answer.status_code == 422
    assert [(error["pointer"], error["code"]) for error in answer.json()["errors"]] == [
        ("/offers/1/carrier_id", "carrier_twice"),
        ("/offers/1/price", "currency_differs"),
        ("/offers/2/carrier_id", "carrier_unknown"),
    ]


async def test_a_permit_that_no_longer_covers_stops_the_accept(client: httpx.AsyncClient, sessions: Sessions) -> None:
    fulda = await make.carrier(sessions)
    await make.tendered(client, sessions, [fulda])
    (offer,) = await make.offers_to(client, fulda)
    async with sessions() as session:
        await session.execute(update(Permit).values(valid_until=date(2021, 1, 1)))
        await session.commit()

    answer = await client.post(f"/v1/offers/{offer['id']}/accept", headers=fulda.headers)

    assert answer.status_code == 409
    assert answer.json()["code"] == "permit_expired"


async def test_the_price_of_the_haulage_is_hidden_from_the_seller(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.accepted(client, sessions)

    to_seller, to_owner = (await heard(haul.seller.org.id))[-1], (await heard(haul.owner.org.id))[-1]
    shown = (await client.get(haul.url, headers=haul.seller.headers)).json()

    assert to_seller["type"] == to_owner["type"] == "pickup.accepted"
    assert "price" not in to_seller["data"]
    assert to_owner["data"]["price"] == {"amount": "650.00", "currency": "EUR"}
    assert (shown["price"], shown["ceiling"]) == (None, None)


async def test_a_carrier_sees_the_job_while_its_offer_is_open(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht, fulda])
    (offer,) = await make.offers_to(client, habicht)

    asked = await client.get(haul.url, headers=habicht.headers)
    not_yet = await client.get(haul.url, headers=fulda.headers)
    await make.did(client, habicht, f"/v1/offers/{offer['id']}/decline", {"reason": "no_capacity"})
    declined = await client.get(haul.url, headers=habicht.headers)

    assert asked.json()["ceiling"] is None
    assert asked.json()["contacts"] == []
    assert [not_yet.status_code, declined.status_code] == [404, 404]


async def test_another_carrier_cannot_answer_an_offer(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht])
    (offer,) = await make.offers_to(client, habicht)

    foreign = await client.post(f"/v1/offers/{offer['id']}/accept", headers=fulda.headers)
    own_job = await client.post(f"/v1/offers/{offer['id']}/accept", headers=haul.owner.headers)

    assert foreign.status_code == 404
    assert own_job.status_code == 403


async def test_the_owner_lists_all_offers_of_its_job(client: httpx.AsyncClient, sessions: Sessions) -> None:
    habicht, fulda = await make.carrier(sessions, "Habicht"), await make.carrier(sessions)
    haul = await make.tendered(client, sessions, [habicht, fulda])

    answer = await client.get(f"/v1/offers?pickup_id={haul.job.id}", headers=haul.owner.headers)

    assert [(offer["position"], offer["status"]) for offer in answer.json()["data"]] == [(2, "queued"), (1, "offered")]
