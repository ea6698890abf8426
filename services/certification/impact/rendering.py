"""A statement as JSON (`GET /credentials/{crt}/{version}/impact`) and back. Figures are decimal strings, unrounded."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from services.certification.impact.arithmetic import plain
from services.certification.impact.statement import Applied, Line, Missing, Statement, Total

_PLAIN = (
    "factor_set",
    "factor_set_sha256",
    "method",
    "boundary",
    "region",
    "year",
    "licence",
    "attribution",
    "gwp_basis",
)


def as_document(statement: Statement) -> dict[str, Any]:
    return {
        **{name: getattr(statement, name) for name in _PLAIN},
        "proxies": list(statement.proxies),
        "engine_version": statement.engine_version,
        "lines": [_line(line) for line in statement.lines],
        "missing": [_missing(entry) for entry in statement.missing],
        "totals": [_total(total) for total in statement.totals],
        "primary_data_share_ppm": statement.primary_data_share_ppm,
    }


def _line(line: Line) -> dict[str, Any]:
    optional = {"substitution_ratio": _text(line.substitution_ratio), "distance_kind": line.distance_kind}
    return {
        "kind": line.kind,
        "indicator": line.indicator,
        "what": line.what,
        "quantity": plain(line.quantity),
        "quantity_unit": line.quantity_unit,
        **{name: value for name, value in optional.items() if value is not None},
        "factors": [{**vars(factor), "value": plain(factor.value)} for factor in line.factors],
        "amount": plain(line.amount),
        "unit": line.unit,
    }


def _missing(entry: Missing) -> dict[str, Any]:
    return {**vars(entry), "quantity": _text(entry.quantity)}


def _total(total: Total) -> dict[str, Any]:
    return {**vars(total), "incurred": _text(total.incurred), "avoided": _text(total.avoided)}


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain(value)


def from_document(document: Mapping[str, Any]) -> Statement:
    """The statement such a document was made of; raises KeyError, TypeError or ArithmeticError for any other."""
    return Statement(
        **{name: document[name] for name in _PLAIN},
        proxies=tuple(document["proxies"]),
        engine_version=document["engine_version"],
        lines=tuple(_read_line(line) for line in document["lines"]),
        missing=tuple(Missing(**{**entry, "quantity": _number(entry["quantity"])}) for entry in document["missing"]),
        totals=tuple(_read_total(total) for total in document["totals"]),
        primary_data_share_ppm=document["primary_data_share_ppm"],
    )


def _read_line(line: Mapping[str, Any]) -> Line:
    read = {
        "factors": tuple(Applied(**{**factor, "value": Decimal(factor["value"])}) for factor in line["factors"]),
        "quantity": Decimal(line["quantity"]),
        "amount": Decimal(line["amount"]),
        "substitution_ratio": _number(line.get("substitution_ratio")),
    }
    return Line(**{**line, **read})


def _read_total(total: Mapping[str, Any]) -> Total:
    return Total(**{**total, "incurred": _number(total["incurred"]), "avoided": _number(total["avoided"])})


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
