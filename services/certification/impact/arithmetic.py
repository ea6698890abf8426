"""The one arithmetic of all impact figures, independent of the caller's decimal context."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Context, Decimal, DivisionByZero, InvalidOperation, Overflow, localcontext

_CONTEXT = Context(prec=34, traps=[InvalidOperation, DivisionByZero, Overflow])


@contextmanager
def exact() -> Iterator[None]:
    with localcontext(_CONTEXT):
        yield


def number(value: Decimal | int | str) -> Decimal:
    """A finite Decimal. Floats are refused (TypeError): their binary digits would enter a signed figure."""
    if isinstance(value, bool) or not isinstance(value, Decimal | int | str):
        raise TypeError("a Decimal, an int or a decimal string is needed")
    decimal = Decimal(value)
    if not decimal.is_finite():
        raise ValueError("a finite number is needed")
    return decimal


def plain(value: Decimal) -> str:
    """Decimal notation without exponent and trailing zeros: "4190.34"."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
