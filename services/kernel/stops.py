"""Facts that forbid decisions about a thing: placed and lifted, never deleted. A thing that can be stopped has the codes of what
stops it in its column `stops`, and `states` reads them at every move.
"""

from collections.abc import Sequence

from services.kernel.errors import Reason
from services.kernel.problem_codes import explain

WHY = {"recall_quarantine": "Goods in it are recalled and not offered under their campaign."}
"""Every stop there is, by its code."""


def against(subject: object) -> list[Reason]:
    """One reason per stop; nothing of what cannot be stopped."""
    codes: Sequence[str] = getattr(subject, "stops", ())
    return [Reason(code, WHY[code]) for code in codes]


explain(409, **WHY)
