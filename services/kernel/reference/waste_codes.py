"""The European List of Waste by jurisdiction and date: EU (with the battery codes of 2026-11-09) and GB."""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache

from services.kernel.reference import lists
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing

JURISDICTIONS = frozenset({"EU", "GB"})
_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"  # ISO 3166-1
EU_MEMBERS = frozenset(_MEMBERS.split())

_WRITTEN = re.compile(r"([0-9]{2}) ?([0-9]{2}) ?([0-9]{2}) ?(\*?)")


@dataclass(frozen=True)
class WasteCode:
    """One entry as it holds in a jurisdiction from–until (both inclusive; None is open).

    `code` is six digits. `entry_type` is `absolute`, `mirror` or None where no source says it; a mirror entry is
    hazardous or not by the waste's properties, so its non-hazardous side needs evidence.
    """

    code: str
    jurisdiction: str
    is_hazardous: bool
    entry_type: str | None
    title: str
    valid_from: date | None
    valid_until: date | None
    source: str
    is_confirmed: bool = True

    @property
    def printed(self) -> str:
        return render(self.code, is_hazardous=self.is_hazardous)

    def holds_on(self, on: date) -> bool:
        return (self.valid_from is None or self.valid_from <= on) and (
            self.valid_until is None or on <= self.valid_until
        )

    def __str__(self) -> str:
        return self.printed


def find(code: str, *, jurisdiction: str, on: date) -> WasteCode:
    """`code` as "16 06 07*", "160607*" or "160607"; `jurisdiction` is EU or GB (see `jurisdiction_of`).

    Raises CodeIsNotValid with a reason, and ReferenceDataMissing for a jurisdiction or a code our tables do not have.
    """
    digits, is_marked = _read(code, jurisdiction, on)
    entries = _entries().get(digits)
    if jurisdiction not in JURISDICTIONS or entries is None:
        raise ReferenceDataMissing(f"List of Waste of {jurisdiction}", code)
    here = [entry for entry in entries if entry.jurisdiction == jurisdiction]
    holding = next((entry for entry in here if entry.holds_on(on)), None)
    if holding is None:
        raise CodeIsNotValid(code, jurisdiction, on, _why_none_holds(here, on))
    if not holding.is_confirmed:
        raise CodeIsNotValid(code, jurisdiction, on, "code_unconfirmed")
    if is_marked and not holding.is_hazardous:
        raise CodeIsNotValid(code, jurisdiction, on, "hazard_mark")
    return holding


def _read(code: str, jurisdiction: str, on: date) -> tuple[str, bool]:
    try:
        return normalise(code), "*" in code
    except ValueError:
        raise CodeIsNotValid(code, jurisdiction, on, "malformed") from None


def _why_none_holds(entries: list[WasteCode], on: date) -> str:
    if not entries:
        return "not_listed"
    is_ahead = any(entry.valid_from is not None and on < entry.valid_from for entry in entries)
    return "not_yet_valid" if is_ahead else "no_longer_valid"


def valid(*, jurisdiction: str, on: date) -> list[WasteCode]:
    """Every confirmed code of our tables that holds there and then, in the order of the list."""
    if jurisdiction not in JURISDICTIONS:
        raise ReferenceDataMissing("List of Waste", jurisdiction)
    listed = (entry for entries in _entries().values() for entry in entries if entry.jurisdiction == jurisdiction)
    return sorted(
        (entry for entry in listed if entry.is_confirmed and entry.holds_on(on)), key=lambda entry: entry.code
    )


def normalise(code: str) -> str:
    """Six digits. Raises ValueError for what is not a waste code."""
    written = _WRITTEN.fullmatch(code.strip()) if code.isascii() else None
    if written is None:
        raise ValueError(f"{code!r} is not a waste code")
    return "".join(written.groups()[:3])


def render(code: str, *, is_hazardous: bool) -> str:
    """ "160607" as "16 06 07*"."""
    digits = normalise(code)
    return f"{digits[:2]} {digits[2:4]} {digits[4:]}" + ("*" if is_hazardous else "")


def jurisdiction_of(country: str) -> str:
    """EU or GB for an ISO 3166-1 alpha-2 country; raises ReferenceDataMissing for any other."""
    if country in EU_MEMBERS:
        return "EU"
    if country == "GB":
        return "GB"
    raise ReferenceDataMissing("List of Waste", country)


@cache
def _entries() -> Mapping[str, list[WasteCode]]:
    by_code: dict[str, list[WasteCode]] = defaultdict(list)
    for row in lists.read("waste_codes").rows:
        for jurisdiction in row["jurisdictions"].split():
            by_code[row["code"]].append(_entry(row, jurisdiction))
    return dict(by_code)


def _entry(row: dict[str, str], jurisdiction: str) -> WasteCode:
    return WasteCode(
        code=row["code"],
        jurisdiction=jurisdiction,
        is_hazardous=row["is_hazardous"] == "true",
        entry_type=row["entry_type"] or None,
        title=row["title"],
        valid_from=_date(row["valid_from"]),
        valid_until=_date(row["valid_until"]),
        source=row["source"],
        is_confirmed=row["status"] == "valid",
    )


def _date(text: str) -> date | None:
    return date.fromisoformat(text) if text else None
