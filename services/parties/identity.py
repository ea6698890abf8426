"""Legal identity, checked by form: VAT id, LEI and IBAN. Nobody is asked whether the number is somebody's; that is the review's."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from stdnum import iban as ibans
from stdnum import lei as leis
from stdnum.eu import vat as eu_vat
from stdnum.exceptions import InvalidFormat, InvalidLength, ValidationError
from stdnum.util import get_cc_module

from services.kernel.errors import invalid
from services.kernel.reference.waste_codes import EU_MEMBERS

_VAT_PREFIX = {"GR": "EL"}


def vat_id(written: str, country: str) -> str:
    """Normalised, with the country's prefix (EL for Greece). Where the country's form is not known, any that could be one.

    Raises Invalid (`vat_id_invalid`).
    """
    with _checking("vat_id", written, f"{written} is not a VAT id of {country}."):
        found = _vat_id(written, country)
        if not 4 <= len(found) <= 20:
            raise InvalidLength
    return found


def _vat_id(written: str, country: str) -> str:
    prefix = _VAT_PREFIX.get(country, country)
    if country in EU_MEMBERS:
        number = written.strip().upper()
        return str(eu_vat.validate(number if number.startswith(prefix) else f"{prefix}{number}"))
    national = get_cc_module(country.lower(), "vat")
    if national is None:
        return "".join(character for character in written.upper() if character.isalnum())
    return f"{prefix}{str(national.validate(written)).removeprefix(prefix)}"


def lei(written: str) -> str:
    """Twenty characters, check digits right. Raises Invalid (`lei_invalid`)."""
    with _checking("lei", written, f"{written} is not a legal entity identifier (ISO 17442)."):
        return str(leis.validate(written))


@dataclass(frozen=True)
class Account:
    """What is kept of an IBAN: enough to recognise it, not enough to read it."""

    masked: str
    fingerprint: str


async def account(written: str) -> Account:
    """Raises Invalid (`iban_invalid`)."""
    with _checking("iban", written, "This is not an IBAN (ISO 13616): a digit or its length is wrong."):
        number = str(ibans.validate(written))
    return Account(f"{number[:2]}…{number[-4:]}", await asyncio.to_thread(_fingerprint, number))


def _fingerprint(number: str) -> str:
    """The same for the same account, so that one account behind two bidders shows. Account numbers are few enough to be
    tried out; a slow hash makes that dear, and this one is made once in an account's life."""
    return hashlib.scrypt(number.encode(), salt=b"backhaul.iban.1", n=2**14, r=8, p=1, dklen=32).hex()


@contextmanager
def _checking(field: str, written: str, sentence: str) -> Iterator[None]:
    try:
        if not written.isascii():
            raise InvalidFormat
        yield
    except ValidationError:
        raise invalid(f"/{field}", f"{field}_invalid", sentence) from None
