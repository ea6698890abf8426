"""Deals, payout accounts, the ledger."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return {
        "deals.list": Call("buyer", "carrier", query={"order_id": world["order"]}),
        "deals.get": Call("buyer", "carrier", path={"deal_id": world["deal"]}),
        "payout_account.create": Call("seller", "buyer"),
        "payout_account.get": Call("seller", "verifier"),
        "payout_account.link": Call("seller", "verifier"),
        "ledger.accounts": Call("seller", "loser"),
        "ledger.postings": Call("seller", "loser", query={"order_id": world["order"]}),
    }
