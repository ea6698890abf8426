"""JSON that PostgreSQL writes in the forms of the wire: expressions of text for statements written by hand.

A column that may be null makes the expression null; `thing` writes null there. No form holds a colon before a letter, which
pgbench and SQLAlchemy would take for a parameter.
"""

from collections.abc import Mapping

from services.kernel.money import CURRENCIES

EMPTY, NULL = "'[]'", "'null'"
_INSTANT = 'YYYY-MM-DD"T"HH24":"MI":"SS.US"Z"'
_UNITS = " ".join(f"WHEN '{known.code}' THEN {10**-known.digits:.{known.digits}f}" for known in CURRENCIES.values())


def thing(members: Mapping[str, str]) -> str:
    """An object of these members."""
    told = ", ".join(
        f"'{',' * (place > 0)}\"{name}\":', COALESCE({members[name]}, 'null')" for place, name in enumerate(members)
    )
    return f"concat('{{', {told}, '}}')"


def things(each: str, rows: str, order: str = "") -> str:
    """An array of what `each` is of these rows; they are in order already, or `order` says how."""
    by = f" ORDER BY {order}" if order else ""
    return f"(SELECT concat('[', string_agg({each}, ','{by}), ']') FROM {rows})"


def words(column: str) -> str:
    """Text that somebody wrote."""
    return f"to_json({column})::text"


def word(column: str) -> str:
    """Text without anything that JSON escapes: ids, and words of ours."""
    return f"'\"' || {column} || '\"'"


def plain(column: str) -> str:
    """A number, a boolean, or JSON."""
    return f"{column}::text"


def instant(column: str) -> str:
    return f"'\"' || replace(to_char({column} AT TIME ZONE 'UTC', '{_INSTANT}'), '.000000', '') || '\"'"


def money(minor: str, currency: str) -> str:
    units = f"{minor} * CASE {currency} {_UNITS} END"
    return f'\'{{"amount":"\' || ({units}) || \'","currency":"\' || {currency} || \'"}}\''


def mass(grams: str) -> str:
    return f'\'{{"value":"\' || trim_scale({grams} * 0.001) || \'","unit":"kg"}}\''
