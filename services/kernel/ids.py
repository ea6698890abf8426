"""Typed ids: a prefix that says what the thing is, and a UUIDv7 in 26 lower-case base32 characters (TypeID codec).

The register of every prefix stands here, because contexts hold each other's ids without knowing each other.
"""

from typing import Any, ClassVar, Self

import uuid_utils
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS = frozenset(_ALPHABET)
_BODY_LENGTH = 26


def _encode(value: int) -> str:
    return "".join(_ALPHABET[(value >> shift) & 31] for shift in range(125, -1, -5))


class Id(str):
    """A `str` that knows its prefix. `OrgId.new()` draws one; `OrgId.parse(text)` raises ValueError on a foreign prefix."""

    prefix: ClassVar[str]

    def __init_subclass__(cls, *, prefix: str) -> None:
        cls.prefix = prefix

    @classmethod
    def new(cls) -> Self:
        return cls(f"{cls.prefix}_{_encode(uuid_utils.uuid7().int)}")

    @classmethod
    def parse(cls, text: str) -> Self:
        prefix, _, body = text.rpartition("_")
        if prefix != cls.prefix:
            raise ValueError(f"an id that starts with {cls.prefix}_ is needed here")
        if len(body) != _BODY_LENGTH or not _DIGITS.issuperset(body) or body[0] > "7":
            raise ValueError(f"{cls.prefix}_ is followed by 26 characters of base32")
        return cls(text)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {
            "type": "string",
            "pattern": f"^{cls.prefix}_[0-7][0-9a-hjkmnp-tv-z]{{25}}$",
            "examples": [f"{cls.prefix}_01kaq4m8q3e8xvw2t5n6r7s8d9"],
        }


class OrgId(Id, prefix="org"):
    """An organization."""


class MemberId(Id, prefix="mem"):
    """A person of an organization."""


class KeyId(Id, prefix="key"):
    """An API key."""


class SiteId(Id, prefix="site"):
    """A place of an organization."""


class PermitId(Id, prefix="prm"):
    """An authority's document."""


class PermitCheckId(Id, prefix="pck"):
    """That a permit covered a quantity for a step."""


class ListingId(Id, prefix="lst"):
    """An offer of goods."""


class ItemId(Id, prefix="itm"):
    """One kind of thing in one condition."""


class LineageId(Id, prefix="lng"):
    """That goods went from one listing into another."""


class CampaignId(Id, prefix="rcl"):
    """A manufacturer's recall."""


class StopId(Id, prefix="stp"):
    """A fact that forbids decisions about goods."""


class ImportId(Id, prefix="imp"):
    """The reading of one manifest."""


class ImportProfileId(Id, prefix="ipf"):
    """A mapping kept under a name."""


class DepositId(Id, prefix="dpt"):
    """What a new bidder leaves with us so that its bids are taken."""


class BidId(Id, prefix="bid"):
    """A processor's promise for a lot."""


class CounterId(Id, prefix="ctr"):
    """A counter-offer to a bid."""


class FindingId(Id, prefix="fnd"):
    """What a look at a listing's bidders found."""


class DemandId(Id, prefix="dem"):
    """A standing order for what may be offered."""


class SavedSearchId(Id, prefix="sav"):
    """A search that is kept, and tells when something new fits."""


class AwardId(Id, prefix="awd"):
    """The fact that a bid won."""


class OrderId(Id, prefix="ord"):
    """The contract made by one award."""


class LineId(Id, prefix="lin"):
    """One item of an order."""


class ReceiptId(Id, prefix="rcp"):
    """What arrived in one delivery."""


class RemainderId(Id, prefix="rem"):
    """A refused quantity looking for its route."""


class PickupId(Id, prefix="pku"):
    """A pickup job."""


class OfferId(Id, prefix="ofr"):
    """A job offered to one carrier."""


class SlotId(Id, prefix="slt"):
    """A dock for a window."""


class HandoverId(Id, prefix="hnd"):
    """The moment custody changes."""


class DealId(Id, prefix="dea"):
    """The money side of one order."""


class PaymentId(Id, prefix="pay"):
    """One collection attempt."""


class TransferId(Id, prefix="trf"):
    """One payout to a payee."""


class RefundId(Id, prefix="rfd"):
    """One return to the payer."""


class EndpointId(Id, prefix="whk"):
    """A webhook endpoint."""


class DeliveryId(Id, prefix="dlv"):
    """One event on its way to one endpoint."""


class EventId(Id, prefix="evt"):
    """Something that happened."""


class BatchId(Id, prefix="bat"):
    """A material batch."""


class CustodyEventId(Id, prefix="cst"):
    """One entry of the custody chain."""


class CertificateId(Id, prefix="crt"):
    """A signed claim on batches."""


class StatementId(Id, prefix="ims"):
    """An impact statement."""


class StatusListId(Id, prefix="bsl"):
    """A status list."""


class EvidenceId(Id, prefix="evd"):
    """A document that supports a claim."""


class InvitationId(Id, prefix="inv"):
    """A place kept for a person who has not come yet."""


class SessionId(Id, prefix="ses"):
    """A person signed in."""


class DelegationId(Id, prefix="dlg"):
    """Consent that another organization acts for this one."""


class DocumentId(Id, prefix="doc"):
    """A paper of an organization."""


class FileId(Id, prefix="fil"):
    pass


class AuditEntryId(Id, prefix="aud"):
    pass
