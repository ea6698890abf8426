"""Stripe's wire: bracketed forms and JSON in, objects, lists and errors out; IBANs and whole-currency fees."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

Json = dict[str, Any]

ZERO_DECIMAL = frozenset(
    ["bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "vnd", "vuv", "xaf", "xof", "xpf"]
)
THREE_DECIMAL = frozenset(["bhd", "jod", "kwd", "omr", "tnd"])
LARGEST_AMOUNT = 99_999_999


class Refusal(Exception):
    """An error answer in Stripe's shape. `is_saved` where Stripe would repeat it for the same idempotency key.

    Refused parameters are not saved; a request that began and was declined is.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        code: str | None = None,
        param: str | None = None,
        type: str = "invalid_request_error",
        is_saved: bool = False,
    ) -> None:
        super().__init__(message)
        self.status_code = status
        self.is_saved = is_saved
        named = {"type": type, "message": message, "code": code, "param": param}
        self.body: Json = {"error": {key: value for key, value in named.items() if value is not None}}


@dataclass(frozen=True)
class Answer:
    status: int
    body: Json
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        return json.dumps(self.body, separators=(",", ":")).encode()


def decode_form(text: str) -> Json:
    """`a[b][0]=c` becomes `{"a": {"b": ["c"]}}`; leaves stay strings."""
    tree: Json = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name) or [name]
        branch = tree
        for part in rest:
            inner = branch.setdefault(head, {})
            if not isinstance(inner, dict):
                raise Refusal(f"Invalid parameter: {name}", param=name, code="parameter_invalid_string")
            branch, head = inner, part or str(len(inner))
        branch[head] = value
    return {key: _lists(value) for key, value in tree.items()}


def _lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _lists(inner) for key, inner in value.items()}


def integer(params: Json, name: str, default: int | None = None) -> int:
    value = params.get(name, default)
    if value is None:
        raise missing(name)
    if isinstance(value, bool) or not re.fullmatch(r"-?\d{1,15}", str(value)):
        raise Refusal(f"Invalid integer: {value}", param=name, code="parameter_invalid_integer")
    return int(value)


def text(params: Json, name: str, default: str | None = None) -> str:
    value = params.get(name, default)
    if value is None or value == "":
        raise missing(name)
    if not isinstance(value, str):
        raise Refusal(f"Invalid string: {value}", param=name, code="parameter_invalid_string")
    return value


def positive_amount(params: Json, name: str = "amount", default: int | None = None) -> int:
    amount = integer(params, name, default)
    if amount < 1:
        raise Refusal("This value must be greater than or equal to 1.", param=name, code="parameter_invalid_integer")
    if amount > LARGEST_AMOUNT:
        raise Refusal("Amount must be no more than 999,999.99", param=name, code="amount_too_large")
    return amount


def currency_of(params: Json, amount: int) -> str:
    """Lower case, three letters, and an amount that the currency can carry."""
    currency = text(params, "currency")
    if not re.fullmatch(r"[a-z]{3}", currency):
        raise Refusal(f"Invalid currency: {currency}", param="currency")
    check_step(amount, currency)
    return currency


def check_step(amount: int, currency: str) -> None:
    step = 10 if currency in THREE_DECIMAL else 100 if currency in ("isk", "ugx") else 1
    if amount % step:
        code = "invalid_charge_amount_no_decimal_compatible"
        raise Refusal(f"Invalid amount: {currency} amounts must be divisible by {step}.", param="amount", code=code)


def metadata_of(params: Json) -> dict[str, str]:
    metadata = params.get("metadata") or {}
    if not isinstance(metadata, dict):
        raise Refusal("Invalid hash", param="metadata")
    return {str(key): str(value) for key, value in metadata.items()}


def missing(name: str) -> Refusal:
    return Refusal(f"Missing required param: {name}.", param=name, code="parameter_missing")


def unknown_object(kind: str, object_id: str) -> Refusal:
    return Refusal(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param="id")


def listed(url: str, data: Sequence[Json], *, has_more: bool) -> Json:
    return {"object": "list", "url": url, "has_more": has_more, "data": list(data)}


def rfc3339(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fee_in(currency: str, hundredths: int) -> int:
    """`hundredths` of one whole unit of any currency in that currency's own minor units: 500 is 5.00 EUR or 5 JPY."""
    digits = 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2
    minor: int = hundredths * 10**digits // 100
    return minor


def german_iban(account_number: int) -> str:
    """Valid by its check digits (ISO 7064 mod 97-10); the bank code is one no bank has."""
    bban = f"{0:08d}{account_number % 10**10:010d}"
    check = 98 - int(bban + "131400") % 97
    return f"DE{check:02d}{bban}"
