"""Who gets what: pure figures out of terms and measured results. Nothing here knows a database or a clock.

Rates are basis points. A percentage is rounded half up, once, to the currency's step; the payee takes what is left.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from services.kernel.money import Money
from services.payments.errors import HoldIsShort
from services.payments.terms import DealTerms

LARGEST_PAYMENT = 99_999_999
"""Minor units: the provider's limit of eight digits. A bigger part is collected by several payments."""


@dataclass(frozen=True)
class Rates:
    goods_vat_bps: int
    commission_bps: int
    commission_vat_bps: int


@dataclass(frozen=True)
class Exposure:
    """The most that can be owed, by who pays it: for the goods, and for haulage where that is not withheld from the
    payee.
    """

    goods: Money
    haulage: Money

    @property
    def total(self) -> Money:
        return self.goods + self.haulage


@dataclass(frozen=True)
class Settlement:
    """The final figures of one settlement, all positive. `accepted` is net; `payout` is what the payee gets after
    commission, its VAT and `withheld` haulage. `receivable` is what the payee owes instead where that is less than
    nothing. `contested` stays held.
    """

    accepted: Money
    vat: Money
    commission: Money
    commission_vat: Money
    withheld: Money
    payout: Money
    receivable: Money
    goods_refund: Money
    haulage_refund: Money
    contested: Money
    released: Money

    @property
    def refund(self) -> Money:
        return self.goods_refund + self.haulage_refund


def with_vat(net: Money, vat_bps: int) -> Money:
    return net + net.basis_points(vat_bps)


def exposure(terms: DealTerms) -> Exposure:
    """The haulage of a payee is withheld from its payout if the goods cover it, and collected from it up front
    otherwise.
    """
    goods = with_vat(abs(terms.goods), terms.goods_vat_bps)
    if terms.haulage_ceiling is None or terms.haulage_payer_id is None:
        return Exposure(goods, Money.zero(terms.currency))
    haulage = with_vat(terms.haulage_ceiling, terms.haulage_vat_bps)
    if terms.haulage_payer_id == terms.goods_payer_id or _commissioned(terms) < haulage:
        return Exposure(goods, haulage)
    return Exposure(goods, Money.zero(terms.currency))


def _commissioned(terms: DealTerms) -> Money:
    rates = Rates(terms.goods_vat_bps, terms.commission_bps, terms.commission_vat_bps)
    gross, _, commission, commission_vat = _shares(abs(terms.goods), rates)
    return gross - commission - commission_vat


def settle(
    rates: Rates,
    *,
    hold: Money,
    accepted: Money,
    contested: Money,
    withheld: Money | None = None,
    haulage_rest: Money | None = None,
) -> Settlement:
    """Splits what is held. `accepted` and `contested` are net and positive; `withheld` is haulage with VAT that was
    already paid out of this hold for the payee; `haulage_rest` is what of the hold belongs to another payer than the
    goods'. HoldIsShort when the accepted goods are worth more than is held; contested goods freeze what there is.
    """
    nothing = Money.zero(hold.currency)
    withheld, haulage_rest = withheld or nothing, haulage_rest or nothing
    gross, vat, commission, commission_vat = _shares(accepted, rates)
    payout = gross - commission - commission_vat - withheld
    free = hold + withheld - haulage_rest
    if free < gross:
        raise HoldIsShort(gross, free)
    frozen = min(with_vat(contested, rates.goods_vat_bps), free - gross, hold, key=lambda money: money.minor)
    return Settlement(
        accepted=accepted,
        vat=vat,
        commission=commission,
        commission_vat=commission_vat,
        withheld=withheld,
        payout=max(payout, nothing, key=lambda money: money.minor),
        receivable=max(-payout, nothing, key=lambda money: money.minor),
        goods_refund=free - gross - frozen,
        haulage_refund=haulage_rest,
        contested=frozen,
        released=hold - frozen,
    )


def _shares(net: Money, rates: Rates) -> tuple[Money, Money, Money, Money]:
    """Gross, its VAT, the commission on the net amount, and the commission's VAT."""
    vat = net.basis_points(rates.goods_vat_bps)
    commission = net.basis_points(rates.commission_bps)
    return net + vat, vat, commission, commission.basis_points(rates.commission_vat_bps)


def parts(amount: Money) -> list[Money]:
    """The fewest payments within the provider's limit, as even as the currency's step allows."""
    count = -(-amount.minor // (LARGEST_PAYMENT // 10 * 10))
    return [part for part in amount.split([1] * count) if part] if count else []


def allot(amount: Money, capacities: Sequence[Money]) -> list[Money]:
    """How much of `amount` comes from each charge, in order; HoldIsShort if they do not suffice."""
    taken, left = [], amount
    for capacity in capacities:
        part = min(left, capacity, key=lambda money: money.minor)
        taken.append(part)
        left = left - part
    if left:
        raise HoldIsShort(amount, amount - left)
    return taken
