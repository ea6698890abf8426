"""The end of the story: the ledger with its sums, the webhooks, the certificate, and what to try next."""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import httpx
from rich.table import Table

from services.demo.receivers import Receiver
from services.demo.stage import Stage


class StoryIsWrong(AssertionError):
    """The market did not end as the story says."""


def tell(stage: Stage, receivers: list[Receiver], *, seconds: float) -> dict[str, Any]:
    """Prints the end and answers the story's facts for `--report`."""
    stage.console.print()
    stage.console.rule("[bold]The end")
    ledger = _ledger(stage)
    balance = _simulator_balance(stage)
    hooks = _webhooks(stage, receivers)
    certificate = _certificate(stage)
    facts = {
        "imports": stage.facts["imports"],
        "ledger": ledger,
        "simulator_balance": balance,
        "deals": _deals(stage),
        "webhooks": hooks,
        "certificate": certificate,
        "seconds": round(seconds, 1),
    }
    _check(facts)
    _what_next(stage, seconds)
    return facts


def _ledger(stage: Stage) -> dict[str, Any]:
    postings = list(stage.operator.ledger.postings())
    sums = [_sum_per_currency(posting) for posting in postings]
    unbalanced = sum(any(total for total in per_currency.values()) for per_currency in sums)
    accounts = list(stage.operator.ledger.accounts())
    names = {player.org_id: player.name for player in stage.players.values()}
    table = Table(
        "account", "of", "balance", title=f"The ledger: {len(postings)} transactions, {unbalanced} unbalanced"
    )
    table.columns[2].justify = "right"
    for account in accounts:
        owner = names.get(account.owner, account.owner)
        table.add_row(account.code, owner, f"{account.balance.amount} {account.balance.currency}")
    total = sum(Decimal(account.balance.amount) for account in accounts)
    table.add_section()
    table.add_row("sum", "", f"{total:.2f} EUR")
    stage.console.print(table)
    balances = [
        {"code": a.code, "owner": a.owner, "amount": a.balance.amount, "currency": a.balance.currency} for a in accounts
    ]
    return {"transactions": len(postings), "unbalanced": unbalanced, "accounts": balances}


def _sum_per_currency(posting: Any) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for entry in posting.entries:
        sums[entry.amount.currency] += Decimal(entry.amount.amount)
    return sums


def _simulator_balance(stage: Stage) -> dict[str, str]:
    """What the bank's side says it holds for us."""
    state = httpx.get(f"{stage.simulator_url}/_simulator/state").raise_for_status().json()
    balance = {
        currency.upper(): f"{Decimal(sums['available'] + sums['pending']) / 100:.2f}"
        for currency, sums in state["balance"].items()
    }
    stage.console.print(f"  Stripe (simulated) holds {balance}")
    return balance


def _webhooks(stage: Stage, receivers: list[Receiver]) -> dict[str, Any]:
    sent = 0
    for receiver in receivers:
        delivered = [d for d in stage[receiver.name].client.deliveries.list(limit=200) if d.status == "delivered"]
        sent += len(delivered)
        kinds = ", ".join(sorted({kind.split(".")[0] for kind in receiver.verified.values()}))
        stage.console.print(
            f"  {receiver.name} received {len(receiver.received)} webhooks, verified {len(receiver.verified)}: {kinds}"
        )
    verified = sum(len(receiver.verified) for receiver in receivers)
    received = sum(len(receiver.received) for receiver in receivers)
    return {"sent": sent, "verified": verified, "repeated": received - verified}


def _certificate(stage: Stage) -> dict[str, Any]:
    certificate = stage.facts["certificate"]
    did = httpx.get(f"{stage.base_url}/sandbox/did.json").raise_for_status().json()
    token = httpx.get(certificate["token_url"], headers={"Accept": "application/vc+jwt"}).raise_for_status().text
    stage.console.print(f"\n  The certificate   [link]{stage.base_url}/c/{certificate['id']}[/link]")
    stage.console.print(f"  its verification  {certificate['verification_url']}")
    return {
        "id": certificate["id"],
        "token": token,
        "did_document": did,
        "verification_url": certificate["verification_url"],
    }


def _deals(stage: Stage) -> list[dict[str, Any]]:
    return [
        {"id": deal.id, "order_id": deal.order_id, "status": deal.status, "goods": deal.goods.to_dict()}
        for deal in stage.operator.deals.list()
    ]


def _check(facts: dict[str, Any]) -> None:
    """The promises the demo makes; StoryIsWrong names the one that is broken."""
    ours = sum(Decimal(a["amount"]) for a in facts["ledger"]["accounts"] if a["code"] == "stripe_balance")
    theirs = Decimal(facts["simulator_balance"].get("EUR", "0"))
    open_accounts = [
        account
        for account in facts["ledger"]["accounts"]
        if account["code"] in ("deal_hold", "payable", "refund_due") and Decimal(account["amount"])
    ]
    promises = {
        "every transaction sums to zero": facts["ledger"]["unbalanced"] == 0,
        f"the ledger's balance {ours} is Stripe's {theirs}": ours == theirs,
        f"nothing is left on hold, payable or due: {open_accounts}": not open_accounts,
        "every webhook sent was verified": facts["webhooks"]["sent"] <= facts["webhooks"]["verified"],
    }
    broken = [promise for promise, is_kept in promises.items() if not is_kept]
    if broken:
        raise StoryIsWrong("; ".join(broken))


def _what_next(stage: Stage, seconds: float) -> None:
    stage.console.print(f"\n  {seconds:.1f} s. What to try next:")
    for command, what in (
        ("./backhaul demo --keep", "leave the market up and look at the certificate in a browser"),
        ("./backhaul demo --manifest FILE.csv", "bring your own returned goods"),
        (
            "./backhaul serve   and   ./backhaul work",
            "a market of your own; register with the client in clients/python",
        ),
    ):
        stage.console.print(f"    [bold]{command}[/bold]  {what}")
