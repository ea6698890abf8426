"""The same market when somebody does not do what the story hopes for."""

from decimal import Decimal

from tests.journeys import goods, moving, one_lot, selling
from tests.journeys.players import Market, euros, february, january


async def test_the_next_best_wins_when_the_buyer_does_not_confirm(market: Market) -> None:
    # Monday 11 to Monday 18 January: as always, up to the award
    for chapter in (selling.import_the_goods, selling.publish, selling.bid, selling.compare, selling.award):
        await chapter(market)
    nordwerk, batteriehof = market["Nordwerk"], market["Batteriehof"]
    first, second = f"bids/{market.ids['bid_1']}", f"bids/{market.ids['bid_3']}"
    problem = await nordwerk.refused_if_unchanged(f"{second}/award", second)
    assert (problem["status"], problem["code"]) == (409, "already_awarded")

    # Wednesday 20 January, one minute before midnight in Duisburg: Rheinkreis may still confirm
    await market.go_to(january(20, "22:59"))
    assert (await nordwerk.get(first))["status"] == "awarded"
    # Thursday 21 January: two business days are over
    await market.go_to(january(21, "08:00"))
    lapsed = await nordwerk.get(f"orders/{market.ids['ord_1']}")
    assert (lapsed["status"], lapsed["cancel_reason"]) == ("cancelled", "not_confirmed")
    assert (await nordwerk.get(first))["status"] == "timed_out"
    assert (await nordwerk.told(market.ids["lst_1"]))[-1] == "listing.award_reopened"
    assert await selling.reserved_and_used(market) == ("0.000", "0.000")
    late = await market["Rheinkreis"].refused_if_unchanged(f"{first}/confirm", first, terms_hash=lapsed["terms_hash"])
    assert late["status"] == 409

    # 09:00: Batteriehof, who was second, has not lost, and now wins
    await market.go_to(january(21, "09:00"))
    order = await nordwerk.post_if_unchanged(f"{second}/award", second)
    await batteriehof.post_if_unchanged(f"{second}/confirm", second, terms_hash=order["terms_hash"])
    await market.come_to_rest()
    (deal,) = await nordwerk.all("deals")
    # 18.900 t × 35.00, and 19 % on it
    assert (deal["side"], deal["exposure"]) == ("payer", euros("787.19"))
    assert (await market["Zweitlauf"].told(market.ids["bid_2"])).count("bid.lost") == 1
    assert "bid.lost" not in await market["Rheinkreis"].told(market.ids["bid_1"])


async def test_a_tender_nobody_answers_is_exhausted_and_can_be_made_again(market: Market) -> None:
    await one_lot.sell(market)
    rheinkreis, job = market["Rheinkreis"], f"pickups/{market.ids['pku_1']}"
    # Tuesday 12 January, 07:30: Habicht has until 09:30, then Fulda until 11:30
    await market.go_to(january(12, "07:30"))
    await rheinkreis.post(f"{job}/plan", **moving.a_plan(january(25, "05:00"), january(29, "16:00")))
    asked = [{"carrier_id": market[name].org_id, "price": euros("650.00")} for name in ("Habicht", "Fulda")]
    await rheinkreis.post(f"{job}/tender", strategy="waterfall", offers=asked, respond_within_minutes=120)
    await market.go_to(january(12, "09:31"))
    (late,) = await market["Habicht"].all("offers")
    (open_now,) = await market["Fulda"].all("offers")
    assert (late["status"], open_now["status"]) == ("expired", "offered")
    assert open_now["expires_at"].startswith(january(12, "11:30").strftime("%Y-%m-%dT%H:%M"))

    # 11:31: neither has answered
    await market.go_to(january(12, "11:31"))
    assert (await rheinkreis.get(job))["status"] == "exhausted"
    assert (await rheinkreis.told(market.ids["pku_1"]))[-1] == "pickup.tender_exhausted"
    for name, offer in (("Habicht", late), ("Fulda", open_now)):
        problem = await market[name].refused(f"offers/{offer['id']}/accept")
        assert (problem["status"], problem["code"]) == (409, "offer_not_open")

    # 13:00: both are asked again, and Habicht is first
    await market.go_to(january(12, "13:00"))
    await rheinkreis.post(f"{job}/tender", strategy="broadcast", offers=asked, respond_within_minutes=120)
    newest, *_ = await market["Habicht"].all("offers")
    await market["Habicht"].post(f"offers/{newest['id']}/accept")
    taken = await rheinkreis.get(job)
    assert (taken["status"], taken["carrier_id"]) == ("accepted", market["Habicht"].org_id)


async def test_goods_refused_in_full_go_back_and_so_does_their_price(market: Market) -> None:
    await one_lot.sell(market)
    await one_lot.deliver(market)
    nordwerk, rheinkreis, order = market["Nordwerk"], market["Rheinkreis"], f"orders/{market.ids['ord_1']}"
    # Tuesday 26 January: everything is wrong
    await market.go_to(january(26, "08:00"))
    receipt = f"receipts/{(await rheinkreis.post(f'{order}/receive'))['id']}"
    (line,) = (await rheinkreis.get(order))["lines"]
    nothing = {"mass": {"value": "0", "unit": "t"}, "quantity": 0}
    everything = {"mass": line["mass"], "quantity": 40, "reason": "wrong_goods", "evidence": [goods.EVIDENCE]}
    verdict = {"line_id": line["id"], "accepted": nothing, "refused": everything}
    await rheinkreis.post_if_unchanged(f"{receipt}/inspect", receipt, lines=[verdict])
    await market.come_to_rest()
    refused = await nordwerk.get(order)
    assert refused["status"] == "refused"
    assert [owed["status"] for owed in refused["obligations"]] == ["waived"]

    # Wednesday 27 January: Nordwerk takes them back, on its own lorry and permit
    await market.go_to(january(27, "08:00"))
    permit = {"kind": "transport", "number": "T-9", "authority": "RP Kassel", "scopes": [{"waste_codes": ["160214"]}]}
    await nordwerk.post("permits", valid_from="2024-01-01", valid_until="2099-12-31", **permit)
    routed = await nordwerk.post_if_unchanged(f"{order}/route_remainder", order, line_id=line["id"], route="return")
    job = f"pickups/{routed['remainders'][0]['pickup_id']}"
    await nordwerk.post(f"{job}/plan", **moving.a_plan(january(28, "05:00"), january(29, "16:00")))
    await nordwerk.post(f"{job}/self_haul")
    await market.go_to(january(28, "06:00"))
    await one_lot.haul(market, job, "Nordwerk", giver="Rheinkreis", taker="Nordwerk")
    assert (await nordwerk.get(order))["remainders"][0]["status"] == "ended"

    # Tuesday 2 February: the dispute window has passed; the price is back, the haulage is paid
    await market.go_to(february(2, "00:00"))
    (deal,) = await rheinkreis.all("deals")
    assert (deal["status"], deal["accepted"], deal["exposure"]) == ("closed", euros("0.00"), euros("2345.00"))
    assert sum(Decimal(one["amount"]["amount"]) for one in deal["refunds"]) == Decimal("1571.50")
    (paid,) = (await market.operator.get(f"deals/{deal['id']}"))["transfers"]
    assert (paid["leg"], paid["amount"], paid["status"]) == ("haulage", euros("773.50"), "paid")
    assert (await nordwerk.get(order))["status"] == "closed"
    assert (await nordwerk.get(f"listings/{market.ids['lst_1']}"))["status"] == "fulfilled"


async def test_silence_through_the_inspection_window_accepts_what_arrived(market: Market) -> None:
    await one_lot.sell(market)
    await one_lot.deliver(market)
    nordwerk, order = market["Nordwerk"], f"orders/{market.ids['ord_1']}"
    # Thursday 28 January, one minute before midnight in Duisburg: Rheinkreis may still inspect
    await market.go_to(january(28, "22:59"))
    assert (await nordwerk.get(order))["status"] == "in_fulfilment"
    # Friday 29 January: three business days are over
    await market.go_to(january(29, "08:00"))
    accepted = await nordwerk.get(order)
    assert accepted["status"] == "settled"
    assert accepted["lines"][0]["accepted"] == accepted["lines"][0]["received"]
    assert accepted["lines"][0]["accepted"]["quantity"] == 40
    assert "order.accepted" in await nordwerk.told(market.ids["ord_1"])
    assert await selling.reserved_and_used(market) == ("0.000", "12.000")
    (deal,) = await nordwerk.all("deals")
    # 12.000 t × 120.00 less 5 % and 19 % on that
    assert [(one["leg"], one["amount"], one["status"]) for one in deal["transfers"]] == [
        ("goods", euros("1354.32"), "paid")
    ]
    (batch,) = await market["Rheinkreis"].all("material-batches", order_id=market.ids["ord_1"])
    assert batch["mass"] == accepted["lines"][0]["accepted"]["mass"]
