"""Affiliates: organizations that share a VAT registration, a bank account, or people. Pure, but for the one rule that acts."""

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from services.bidding.errors import OwnListing
from services.bidding.integrity.suspicions import Suspicion
from services.kernel.ids import OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.parties.queries import kinship
from services.parties.queries.kinship import Identity

_ROOTS = (
    re.compile(r"(NL\d{9})B\d{2}"),
    re.compile(r"(SE\d{10})\d{2}"),
    re.compile(r"(FR)\w{2}(\d{9})"),
    re.compile(r"((?:GB|XI)\d{9})\d{3}"),
)
"""Where members of a group or branches of a firm differ in a suffix or a check key alone."""


async def must_not_be_the_seller(work: UnitOfWork, bidder_id: OrgId, seller_id: OrgId) -> None:
    """Raises OwnListing for one VAT id or one bank account: that is nobody else, whatever name it bids under."""
    if await kinship.is_same_entity(work, bidder_id, seller_id):
        raise OwnListing()


def affiliates(identities: Sequence[Identity], seller_id: OrgId) -> list[Suspicion]:
    """Among the seller and the bidders of one listing, pair by pair; `evidence` says whether the seller is one of the two, and what
    they share. Addresses are masked: the review needs to know which person, not how to write to them."""
    return [
        Suspicion(kind, (one.org_id, other.org_id), shared | {"with_seller": seller_id in (one.org_id, other.org_id)})
        for one, other in combinations(identities, 2)
        for kind, shared in _shared(one, other)
    ]


def _shared(one: Identity, other: Identity) -> Iterator[tuple[str, dict[str, object]]]:
    if one.vat_id and other.vat_id and vat_root(one.vat_id) == vat_root(other.vat_id):
        yield "same_vat_root", {"vat_root": vat_root(one.vat_id)}
    if one.iban_fingerprint and one.iban_fingerprint == other.iban_fingerprint:
        yield "same_bank_account", {}
    people = sorted(one.addresses & other.addresses)
    if people:
        yield "same_people", {"addresses": [masked(address) for address in people]}


def vat_root(vat_id: str) -> str:
    """What the numbers of one firm or one VAT group have in common: NL123456789B01 and …B02 are NL123456789."""
    for pattern in _ROOTS:
        found = pattern.fullmatch(vat_id)
        if found is not None:
            return "".join(found.groups())
    return vat_id


def masked(address: str) -> str:
    """m…@example.com"""
    name, _, domain = address.partition("@")
    return f"{name[:1]}…@{domain}"
