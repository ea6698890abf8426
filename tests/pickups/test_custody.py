"""Two signatures on one content, at the pickup and at the delivery."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.kernel.database import Sessions
from services.kernel.ids import LineId
from tests.factories import pickups as make
from tests.factories.parties import permit
from tests.pickups.conftest import Heard


async def test_the_road_from_the_gate_to_the_closed_job(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.at_delivery(client, sessions)

    await make.signed_by_both(client, haul, "delivery", haul.receiver, make.a_signature(haul))

    assert [event["type"] for event in await heard(haul.seller.org.id)] == [
        "pickup.created",
        "pickup.planned",
        "pickup.accepted",
        "pickup.scheduled",
        "pickup.dispatched",
        "pickup.departed",
        "pickup.arrived",
        "pickup.loaded",
        "pickup.in_transit",
        "pickup.arrived",
        "pickup.delivered",
        "pickup.closed",
    ]
    assert (await client.get(haul.url, headers=haul.owner.headers)).json()["status"] == "closed"


async def test_a_fact_needs_a_place_or_a_reason(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.scheduled(client, sessions)

    answer = await client.post(f"{haul.url}/depart", json={}, headers=haul.carrier.headers)

    assert answer.status_code == 422


@pytest.mark.parametrize("given", ["2027-01-25T06:12:00", "2999-01-01T00:00:00Z"])
async def test_a_fact_without_a_zone_or_in_the_future_is_refused(
    client: httpx.AsyncClient, sessions: Sessions, given: str
) -> None:
    haul = await make.at_pickup(client, sessions)
    body = make.a_signature(haul, occurred_at=given)

    answer = await client.post(f"{haul.url}/sign_handover", json=body, headers=haul.seller.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/occurred_at"


async def test_what_happened_and_when_it_was_told_are_both_kept(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    dispatched = await make.did(client, haul.carrier, f"{haul.url}/dispatch", make.CREW)
    occurred_at = datetime.fromisoformat(dispatched["dispatched_at"]) - timedelta(hours=2)

    await make.did(client, haul.carrier, f"{haul.url}/depart", {**make.HERE, "occurred_at": occurred_at.isoformat()})

    departed = (await heard(haul.seller.org.id))[-1]
    assert datetime.fromisoformat(departed["timestamp"]) == occurred_at
    assert datetime.fromisoformat(departed["recorded_at"]) > occurred_at + timedelta(hours=2)


async def test_an_arrival_outside_the_slot_is_flagged_and_not_refused(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.scheduled(client, sessions)
    await make.cleared(sessions, haul)
    await make.did(client, haul.carrier, f"{haul.url}/dispatch", make.CREW)
    await make.did(client, haul.carrier, f"{haul.url}/depart", make.HERE)

    answer = await client.post(f"{haul.url}/arrive", json=make.HERE, headers=haul.carrier.headers)

    arrived = (await heard(haul.seller.org.id))[-1]
    assert answer.json()["status"] == "at_pickup"
    assert [flag["code"] for flag in arrived["data"]["flags"]] == ["outside_slot"]


async def test_one_signature_does_not_load(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)

    answer = await client.post(f"{haul.url}/sign_handover", json=make.a_signature(haul), headers=haul.carrier.headers)
    (handover,) = (await client.get(f"{haul.url}/handovers", headers=haul.seller.headers)).json()["data"]

    assert answer.json()["status"] == "at_pickup"
    assert handover["signed_at"] is None
    assert [signature["role"] for signature in handover["signatures"]] == ["carrier"]


async def test_the_second_signature_must_be_on_the_same_content(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    await make.did(client, haul.seller, f"{haul.url}/sign_handover", make.a_signature(haul))

    by_hash = await client.post(
        f"{haul.url}/sign_handover",
        json={"content_hash": "0" * 64, "signed_by": "Jonas Weber"},
        headers=haul.carrier.headers,
    )
    by_content = await client.post(
        f"{haul.url}/sign_handover", json=make.a_signature(haul, seals=["S-2"]), headers=haul.carrier.headers
    )

    assert [by_hash.status_code, by_content.status_code] == [409, 409]
    assert by_hash.json()["code"] == by_content.json()["code"] == "content_differs"


async def test_the_same_content_sent_by_both_loads(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    await make.did(client, haul.seller, f"{haul.url}/sign_handover", make.a_signature(haul, seals=["S-1"]))

    answer = await make.did(
        client, haul.carrier, f"{haul.url}/sign_handover", make.a_signature(haul, seals=["S-1"], signed_by="J. Weber")
    )

    assert answer["status"] == "loaded"


async def test_who_signed_alone_may_correct_and_the_old_content_stays_readable(
    client: httpx.AsyncClient, sessions: Sessions
) -> None:
    haul = await make.at_pickup(client, sessions)
    await make.did(client, haul.seller, f"{haul.url}/sign_handover", make.a_signature(haul))
    again = await client.post(f"{haul.url}/sign_handover", json=make.a_signature(haul), headers=haul.seller.headers)

    await make.signed_by_both(client, haul, "handover", haul.seller, make.a_signature(haul, seals=["S-2"]))

    old, new = (await client.get(f"{haul.url}/handovers", headers=haul.seller.headers)).json()["data"]
    assert again.json()["code"] == "already_signed"
    assert old["superseded_at"] is not None
    assert old["signed_at"] is None
    assert len(new["signatures"]) == 2


async def test_nothing_can_be_confirmed_before_somebody_wrote_it(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)

    answer = await client.post(
        f"{haul.url}/sign_handover", json={"content_hash": "0" * 64, "signed_by": "X"}, headers=haul.seller.headers
    )

    assert answer.json()["code"] == "nothing_to_countersign"


async def test_what_was_signed_cannot_be_changed_in_the_database(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    await make.did(client, haul.seller, f"{haul.url}/sign_handover", make.a_signature(haul))

    with pytest.raises(DBAPIError, match="stays as it is"):
        async with sessions() as session:
            await session.execute(text("UPDATE handover SET seals = '[\"S-9\"]'"))


async def test_hazardous_goods_change_hands_with_a_photo(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions, goods=[make.motors(), make.modules()])

    without = await client.post(f"{haul.url}/sign_handover", json=make.a_signature(haul), headers=haul.seller.headers)
    with_one = await client.post(
        f"{haul.url}/sign_handover", json=make.a_signature(haul, photos=[make.PHOTO]), headers=haul.seller.headers
    )

    assert without.status_code == 409
    assert without.json()["code"] == "photos_required"
    assert with_one.status_code == 200


async def test_another_quantity_than_announced_needs_a_reason(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    body = make.a_signature(haul)
    body["lines"][0]["quantity"] = 39

    without = await client.post(f"{haul.url}/sign_handover", json=body, headers=haul.seller.headers)
    body["lines"][0]["reason"] = "one was sold"
    with_one = await client.post(f"{haul.url}/sign_handover", json=body, headers=haul.seller.headers)

    assert without.json()["code"] == "quantity_reason_required"
    assert with_one.status_code == 200


async def test_lines_that_are_not_those_of_the_goods_are_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    body = make.a_signature(haul)
    body["lines"][0]["line_id"] = LineId.new()

    answer = await client.post(f"{haul.url}/sign_handover", json=body, headers=haul.seller.headers)

    assert answer.status_code == 422
    assert answer.json()["errors"][0]["code"] == "lines_differ"


async def test_a_scale_without_a_ticket_is_refused(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions)
    body = make.a_signature(haul, measurement={"method": "weighbridge", "instrument": "WB-1"})

    answer = await client.post(f"{haul.url}/sign_handover", json=body, headers=haul.seller.headers)

    assert answer.status_code == 422


def _weighed(haul: make.Haul, *masses: str) -> dict[str, Any]:
    """On the weighbridge of the story: 33.740 in, 15.620 out, 0.420 packaging, so 17.700 t net."""
    lines = [
        {"line_id": goods.line_id, "quantity": goods.quantity, "mass": {"value": mass, "unit": "t"}}
        for goods, mass in zip(haul.job.lines, masses, strict=True)
    ]
    measurement = {
        "method": "weighbridge",
        "instrument": "WB-1",
        "ticket": "W-2301",
        "weigh_in": {"value": "33.740", "unit": "t"},
        "weigh_out": {"value": "15.620", "unit": "t"},
        "packaging": {"value": "0.420", "unit": "t"},
    }
    return {"lines": lines, "measurement": measurement, "signed_by": "Gate 1"}


async def test_the_lines_sum_to_what_the_weighbridge_says(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.at_delivery(client, sessions, goods=[make.motors(), make.modules()])

    wrong = await client.post(
        f"{haul.url}/sign_delivery", json=_weighed(haul, "15.900", "1.820"), headers=haul.receiver.headers
    )
    body = _weighed(haul, "15.900", "1.800") | {"photos": [make.PHOTO]}
    await make.signed_by_both(client, haul, "delivery", haul.receiver, body)

    delivered = (await heard(haul.carrier.org.id))[-2]["data"]
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["code"] == "masses_do_not_sum"
    assert [line["mass_g"] for line in delivered["lines"]] == [15_900_000, 1_800_000]
    assert delivered["measurement"] == {
        "method": "weighbridge",
        "instrument": "WB-1",
        "ticket": "W-2301",
        "gross_g": 33_740_000,
        "tare_g": 15_620_000,
        "packaging_g": 420_000,
    }
    assert delivered["price"] == {"amount": "650.00", "currency": "EUR"}


async def test_a_delivery_is_a_fact_and_what_is_wrong_with_it_is_flagged(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    haul = await make.at_delivery(client, sessions, goods=[make.modules()])
    body = make.a_signature(haul, reservations="Two pallets are wet.")
    body["lines"][0]["quantity"] = 58

    await make.signed_by_both(client, haul, "delivery", haul.receiver, body)

    delivered = (await heard(haul.seller.org.id))[-2]["data"]
    assert [flag["code"] for flag in delivered["flags"]] == ["photos_required", "quantity_reason_required"]
    assert delivered["reservations"] == "Two pallets are wet."
    assert "price" not in delivered


async def test_a_receiver_that_hauled_itself_signs_once_and_the_custodian_signs_it_out(
    client: httpx.AsyncClient, sessions: Sessions, heard: Heard
) -> None:
    custodian = await make.recycler(sessions)
    battery = await make.recycler(sessions, "Batteriehof")
    await permit(sessions, battery, kind="transport", waste_codes=[make.MODULES], number="T-1")
    haul = await make.planned(
        client, sessions, goods=[make.modules()], receiver=battery, custodian=custodian, hauler=battery
    )
    await make.did(client, battery, f"{haul.url}/self_haul")
    await make.cleared(sessions, haul)
    await make.did(client, battery, f"{haul.url}/dispatch", make.CREW)
    await make.did(client, battery, f"{haul.url}/depart", make.HERE)
    await make.did(client, battery, f"{haul.url}/arrive", make.HERE)
    signature = make.a_signature(haul, photos=[make.PHOTO])
    await make.signed_by_both(client, haul, "handover", custodian, signature)
    await make.did(client, battery, f"{haul.url}/depart", make.HERE)
    await make.did(client, battery, f"{haul.url}/arrive", make.HERE)

    answer = await make.did(client, battery, f"{haul.url}/sign_delivery", signature)

    delivered = (await heard(battery.org.id))[-2]["data"]
    assert answer["status"] == "closed"
    assert delivered["price"] is None


async def test_the_seller_without_custody_signs_nothing(client: httpx.AsyncClient, sessions: Sessions) -> None:
    haul = await make.at_pickup(client, sessions, custodian=await make.recycler(sessions, "Zweitlauf"))

    answer = await client.post(f"{haul.url}/sign_handover", json=make.a_signature(haul), headers=haul.seller.headers)

    assert answer.status_code == 403
