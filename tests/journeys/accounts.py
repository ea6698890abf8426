"""What the money came to: the postings line by line, the trial balance, and what everybody paid and keeps."""

from decimal import Decimal

from tests.journeys.players import Market

Line = tuple[str, str, str]

POSTINGS: list[tuple[str, str, set[Line]]] = [
    (
        "collected",
        "ord_1",
        {("stripe_balance", "", "3096.00"), ("stripe_fee", "", "5.00"), ("deal_hold", "ord_1", "-3101.00")},
    ),
    ("settled", "ord_1", {("deal_hold", "ord_1", "773.50"), ("payable", "Fulda", "-773.50")}),
    ("transferred", "ord_1", {("payable", "Fulda", "773.50"), ("stripe_balance", "", "-773.50")}),
    (
        "settled",
        "ord_1",
        {
            ("deal_hold", "ord_1", "2284.30"),
            ("payable", "Nordwerk", "-1956.99"),
            ("commission", "", "-104.04"),
            ("vat_output", "DE", "-19.77"),
            ("refund_due", "Rheinkreis", "-203.50"),
        },
    ),
    ("transferred", "ord_1", {("payable", "Nordwerk", "1956.99"), ("stripe_balance", "", "-1956.99")}),
    ("refunded", "ord_1", {("refund_due", "Rheinkreis", "203.50"), ("stripe_balance", "", "-203.50")}),
    ("settled", "ord_1", {("deal_hold", "ord_1", "43.20"), ("refund_due", "Rheinkreis", "-43.20")}),
    ("refunded", "ord_1", {("refund_due", "Rheinkreis", "43.20"), ("stripe_balance", "", "-43.20")}),
    (
        "collected",
        "ord_2",
        {("stripe_balance", "", "616.18"), ("stripe_fee", "", "5.00"), ("deal_hold", "ord_2", "-621.18")},
    ),
    (
        "settled",
        "ord_2",
        {
            ("deal_hold", "ord_2", "621.18"),
            ("payable", "Batteriehof", "-590.12"),
            ("commission", "", "-26.10"),
            ("vat_output", "DE", "-4.96"),
        },
    ),
    ("transferred", "ord_2", {("payable", "Batteriehof", "590.12"), ("stripe_balance", "", "-590.12")}),
]
"""Kind, order, lines; a debit is positive. The oldest first."""


def names(market: Market) -> dict[str, str]:
    """What the story calls the things and organizations behind the ids."""
    known = {id: name for name, id in market.ids.items()}
    return known | {player.org_id: player.name for player in market.players.values()}


async def close(market: Market) -> None:
    await _postings_and_balances(market)
    # Rheinkreis has paid 2,854.30, Nordwerk keeps 1,335.81
    assert await _moved(market, "Rheinkreis") == Decimal("-2854.30")
    assert await _moved(market, "Nordwerk") == Decimal("1335.81")
    assert await _moved(market, "Batteriehof") == Decimal("590.12")


async def _postings_and_balances(market: Market) -> None:
    called = names(market)
    told = await market.operator.all("ledger/postings", limit=100)
    posted = [
        (
            posting["kind"],
            called[posting["order_id"]],
            {
                (one["code"], called.get(one["owner"], one["owner"]), one["amount"]["amount"])
                for one in posting["entries"]
            },
        )
        for posting in reversed(told)
    ]
    assert posted == POSTINGS
    accounts = await market.operator.all("ledger/accounts", limit=100)
    closing = {(one["code"], called.get(one["owner"], one["owner"])): one["balance"]["amount"] for one in accounts}
    assert {account: amount for account, amount in closing.items() if Decimal(amount)} == {
        ("stripe_balance", ""): "144.87",
        ("stripe_fee", ""): "10.00",
        ("commission", ""): "-130.14",
        ("vat_output", "DE"): "-24.73",
    }
    assert {code for code, _ in closing} >= {"deal_hold", "payable", "refund_due"}
    assert (await market.stripe.state())["balance"] == {"eur": {"available": 14_487, "pending": 0}}


async def _moved(market: Market, name: str) -> Decimal:
    """Received less paid, as this organization's own deals tell it."""
    deals = await market[name].all("deals")
    columns = (("transfers", 1), ("refunds", 1), ("payments", -1))
    return sum(
        (sign * Decimal(one["amount"]["amount"]) for deal in deals for column, sign in columns for one in deal[column]),
        Decimal(),
    )
