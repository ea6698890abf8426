"""The final figures come in from the weighbridge and the inspection, and the hold is split by them."""

from services.kernel.money import Money
from services.kernel.states import Moved, move
from services.kernel.unit_of_work import UnitOfWork
from services.payments import finishing, ledger, paying_out, queries, refunding, splitting
from services.payments.errors import NothingContested, WrongDirection
from services.payments.events import DealAdjusted, DealSettling
from services.payments.models import DEAL, Deal
from services.payments.policy import audience
from services.payments.splitting import Settlement


async def settle(work: UnitOfWork, *, order_id: str, accepted: Money, contested: Money) -> Settlement:
    """P2 for the goods. Both amounts are net and signed as the price; what of the hold is neither owed nor contested
    goes back.

    Called again, `accepted` is what has been decided for the payee out of the contested part, and `contested` what
    still is open. WrongDirection for an amount against the price's sign, HoldIsShort when more is accepted than the
    hold has.
    """
    deal = await queries.deal_of_for_update(work, order_id)
    _must_point_along(deal, accepted, contested)
    moved = move(DEAL, deal, "settle", by="time")
    figures = await _figures(work, deal, abs(accepted), abs(contested))
    await _post(work, deal, figures)
    deal.accepted_minor += accepted.minor
    deal.contested_minor = abs(contested).minor if figures.contested else 0
    deal.withheld_minor = 0
    _tell(work, deal, figures, moved)
    await _pay(work, deal, figures)
    await finishing.try_finish(work, deal)
    return figures


async def preview(work: UnitOfWork, *, order_id: str, accepted: Money, contested: Money) -> Settlement:
    """The exact split that `settle` would post; changes nothing."""
    deal = await queries.deal_of(work, order_id)
    _must_point_along(deal, accepted, contested)
    return await _figures(work, deal, abs(accepted), abs(contested))


def _must_point_along(deal: Deal, *amounts: Money) -> None:
    for amount in amounts:
        if amount.minor * deal.goods_minor < 0 or (amount and not deal.goods_minor):
            raise WrongDirection(amount, deal.money(deal.goods_minor))


async def _figures(work: UnitOfWork, deal: Deal, accepted: Money, contested: Money) -> Settlement:
    return splitting.settle(
        splitting.Rates(deal.goods_vat_bps, deal.commission_bps, deal.commission_vat_bps),
        hold=await ledger.credit(work, ledger.deal_hold(deal.order_id), deal.currency),
        accepted=accepted,
        contested=contested,
        withheld=deal.money(deal.withheld_minor),
        haulage_rest=_haulage_rest(deal),
    )


def _haulage_rest(deal: Deal) -> Money:
    """What another payer than the goods' has paid for haulage and gets back; nothing once that is settled."""
    if deal.settlements or deal.haulage_payer_id == deal.goods_payer_id:
        return deal.money(0)
    return deal.money(max(deal.haulage_part_minor - deal.haulage_gross_minor, 0))


async def _post(work: UnitOfWork, deal: Deal, figures: Settlement) -> None:
    lines = ledger.nonzero(
        (ledger.deal_hold(deal.order_id), figures.released),
        (ledger.receivable(deal.payee_id), figures.receivable),
        (ledger.payable(deal.payee_id), -figures.payout),
        (ledger.COMMISSION, -figures.commission),
        (ledger.vat_output(deal.vat_country), -figures.commission_vat),
        (ledger.refund_due(deal.goods_payer_id), -figures.goods_refund),
        (ledger.refund_due(str(deal.haulage_payer_id)), -figures.haulage_refund),
    )
    deal.settlements += 1
    if lines:
        await ledger.post(work, f"{deal.id}:settled:{deal.settlements}", "settled", deal.order_id, lines)


def _tell(work: UnitOfWork, deal: Deal, figures: Settlement, moved: Moved) -> None:
    told = {
        "deal_id": deal.id,
        "order_id": deal.order_id,
        "accepted": figures.accepted,
        "commission": figures.commission,
        "commission_vat": figures.commission_vat,
        "withheld": figures.withheld,
        "payout": figures.payout,
        "refund": figures.refund,
        "contested": figures.contested,
    }
    event = DealSettling(**told, vat=figures.vat) if moved.old == "held" else DealAdjusted(**told)
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)


async def _pay(work: UnitOfWork, deal: Deal, figures: Settlement) -> None:
    await paying_out.pay(work, deal, deal.payee_id, figures.payout, leg="goods", first=deal.goods_payer_id)
    await refunding.give_back(work, deal, deal.goods_payer_id, figures.goods_refund)
    if figures.haulage_refund:
        await refunding.give_back(work, deal, str(deal.haulage_payer_id), figures.haulage_refund)


async def return_refused(work: UnitOfWork, *, order_id: str, refused: Money) -> Deal:
    """The seller acknowledges a refusal: its part of what is contested goes back. `refused` is net and signed as the
    price.
    """
    deal = await queries.deal_of_for_update(work, order_id)
    _must_point_along(deal, refused)
    contested = deal.money(deal.contested_minor)
    if contested < abs(refused) or not refused:
        raise NothingContested(refused, contested)
    moved = move(DEAL, deal, "adjust", by="time")
    amount = await _held_for(work, deal, abs(refused))
    deal.contested_minor -= abs(refused).minor
    deal.settlements += 1
    lines = [(ledger.deal_hold(order_id), amount), (ledger.refund_due(deal.goods_payer_id), -amount)]
    if amount:
        await ledger.post(work, f"{deal.id}:returned:{deal.settlements}", "settled", order_id, lines)
    _tell_returned(work, deal, amount, moved)
    await refunding.give_back(work, deal, deal.goods_payer_id, amount)
    await finishing.try_finish(work, deal)
    return deal


async def _held_for(work: UnitOfWork, deal: Deal, refused: Money) -> Money:
    """With VAT, as far as the hold has it; the last of the contested part takes what is held for it, to the cent."""
    hold = await ledger.credit(work, ledger.deal_hold(deal.order_id), deal.currency)
    if refused.minor == deal.contested_minor:
        return hold
    return min(hold, splitting.with_vat(refused, deal.goods_vat_bps), key=lambda money: money.minor)


def _tell_returned(work: UnitOfWork, deal: Deal, amount: Money, moved: Moved) -> None:
    nothing = deal.money(0)
    event = DealAdjusted(
        deal_id=deal.id,
        order_id=deal.order_id,
        accepted=nothing,
        commission=nothing,
        commission_vat=nothing,
        withheld=nothing,
        payout=nothing,
        refund=amount,
        contested=deal.money(deal.contested_minor),
    )
    work.emit(event, subject=deal.id, audience=audience(deal), moved=moved)
