"""Material Circularity Indicator, Ellen MacArthur Foundation, variant of 2019/2020."""

from decimal import Decimal

from services.certification.impact.arithmetic import exact, number

VARIANT = "mci-2019"
_UTILITY = Decimal("0.9")


def mci(
    *,
    M: Decimal | int | str,
    FR: Decimal | int | str = 0,
    FU: Decimal | int | str = 0,
    FS: Decimal | int | str = 0,
    CR: Decimal | int | str = 0,
    CU: Decimal | int | str = 0,
    CC: Decimal | int | str = 0,
    CE: Decimal | int | str = 0,
    EC: Decimal | int | str = 1,
    EF: Decimal | int | str = 1,
    L: Decimal | int | str = 1,
    Lav: Decimal | int | str = 1,
    U: Decimal | int | str = 1,
    Uav: Decimal | int | str = 1,
) -> Decimal:
    """Between 0 and 1; names as in the formula, M in kg, the rest dimensionless.

    F: share of the feedstock recycled, reused, sustained. C: share collected for recycling, reuse, composting, energy.
    E: efficiency of recycling (EC after use, EF of the feedstock). L, U: life and use against the average.
    V = M(1−FR−FU−FS); W0 = M(1−CR−CU−CC−CE); WC = M(1−EC)CR; WF = M(1−EF)FR/EF; W = W0 + (WF+WC)/2;
    LFI = (V+W) / (2M + (WF−WC)/2); X = (L/Lav)(U/Uav); MCI = max(0, 1 − 0.9·LFI/X). Raises ValueError.
    """
    with exact():
        mass, utility = _positive(M), _positive(L) / _positive(Lav) * _positive(U) / _positive(Uav)
        recycled, reused, sustained = _rates(FR, FU, FS)
        kept = _rates(CR, CU, CC, CE)
        after_use, of_feedstock = _rate(EC), _rate(EF)
        if recycled > 0 and of_feedstock == 0:
            raise ValueError("EF is above 0 where FR is")
        virgin = mass * (1 - recycled - reused - sustained)
        waste_after_use = mass * (1 - after_use) * kept[0]
        waste_of_feedstock = mass * (1 - of_feedstock) * recycled / of_feedstock if recycled else Decimal(0)
        waste = mass * (1 - sum(kept)) + (waste_of_feedstock + waste_after_use) / 2
        linear_flow = (virgin + waste) / (2 * mass + (waste_of_feedstock - waste_after_use) / 2)
        return max(Decimal(0), 1 - linear_flow * _UTILITY / utility)


def _positive(value: Decimal | int | str) -> Decimal:
    amount = number(value)
    if amount <= 0:
        raise ValueError("M, L, Lav, U and Uav are above 0")
    return amount


def _rates(*values: Decimal | int | str) -> list[Decimal]:
    rates = [_rate(value) for value in values]
    if sum(rates) > 1:
        raise ValueError("FR+FU+FS and CR+CU+CC+CE are at most 1")
    return rates


def _rate(value: Decimal | int | str) -> Decimal:
    rate = number(value)
    if not 0 <= rate <= 1:
        raise ValueError("a rate lies between 0 and 1")
    return rate
