"""Reference data as it ships: code lists by jurisdiction and date, read page by page."""

import dataclasses
from datetime import date
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Query
from pydantic import Field

from services.kernel.actors import Actor
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.http.schemas import AskedDate, Country, Response
from services.kernel.pagination import Page, Paging, page_of
from services.kernel.reference import hazard_properties, materials, operations, un_numbers, waste_codes
from services.kernel.reference.waste_codes import WasteCode

router = APIRouter(prefix="/v1", tags=["reference"], route_class=UnitOfWorkRoute)
Reads = Annotated[Actor, holding("organizations:read")]


class WasteCodeAnswer(Response):
    """One entry of a list of waste as it holds there and then."""

    code: str = Field(description="Six digits", examples=["160607"])
    printed: str = Field(description="As the list prints it", examples=["16 06 07*"])
    is_hazardous: bool
    entry_type: str | None = Field(description="absolute or mirror; null where no source says it")
    title: str
    jurisdiction: str
    valid_from: date | None
    valid_until: date | None
    source: str

    @classmethod
    def of(cls, entry: WasteCode) -> Self:
        return cls.model_validate(dataclasses.asdict(entry) | {"printed": entry.printed})


class WasteCodePage(Page[WasteCodeAnswer]):
    """Waste codes in the order of the list."""


class OperationAnswer(Response):
    """A recovery or disposal operation of Directive 2008/98/EC."""

    code: str = Field(examples=["R4"])
    kind: str = Field(description="recovery or disposal")
    is_final: bool = Field(description="Nothing is certified from an interim operation")
    counts_as: str = Field(description="recycling, recovery, disposal or interim")
    title: str
    source: str


class OperationPage(Page[OperationAnswer]):
    """R1 to R13, D1 to D15."""


class UnNumberAnswer(Response):
    """A UN number with its class and packing groups."""

    number: str = Field(description="Four digits", examples=["3480"])
    hazard_class: str
    packing_groups: list[str] = Field(description="Empty for articles")
    group: str
    name: str
    source: str


class UnNumberPage(Page[UnNumberAnswer]):
    """UN numbers of batteries and common dangerous goods."""


class MaterialAnswer(Response):
    """A material goods are made of and outputs are weighed as."""

    code: str = Field(examples=["black_mass"])
    family: str
    title: str


class MaterialPage(Page[MaterialAnswer]):
    """Materials by their code here."""


class HazardPropertyAnswer(Response):
    """A hazardous property of Directive 2008/98/EC, Annex III."""

    code: str = Field(examples=["HP14"])
    title: str
    source: str


class HazardPropertyPage(Page[HazardPropertyAnswer]):
    """HP1 to HP15."""


@router.get("/reference/waste-codes", name="waste_codes", summary="List waste codes")
async def waste_codes_(
    work: Work,
    actor: Reads,
    paging: Paging,
    scheme: Annotated[Literal["list_of_waste"], Query(description="The European List of Waste")] = "list_of_waste",
    jurisdiction: Annotated[
        Literal["EU", "GB"] | None, Query(description="Whose list; absent: that of `country`, else EU")
    ] = None,
    country: Annotated[Country | None, Query(description="ISO 3166-1 alpha-2, instead of `jurisdiction`")] = None,
    on: Annotated[AskedDate | None, Query(description="The day it must hold on; absent: today in the market")] = None,
    prefix: Annotated[str | None, Query(pattern="^[0-9]{1,6}$", description="Digits it begins with")] = None,
) -> WasteCodePage:
    """The codes that hold there on that day, those of the 2026 battery amendment included. A country whose list does not ship
    has none, and nothing is guessed."""
    listed = _listed(jurisdiction, country, on or work.now.date())
    entries = [entry for entry in listed if entry.code.startswith(prefix or "")]
    rows, after = page_of(entries, lambda entry: entry.code, paging)
    return WasteCodePage(data=[WasteCodeAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


def _listed(jurisdiction: str | None, country: str | None, on: date) -> list[WasteCode]:
    try:
        whose = jurisdiction or (waste_codes.jurisdiction_of(country) if country else "EU")
    except LookupError:
        return []
    return waste_codes.valid(jurisdiction=whose, on=on)


@router.get("/reference/operations", name="operations", summary="List recovery and disposal operations")
async def operations_(work: Work, actor: Reads, paging: Paging) -> OperationPage:
    """R and D codes, and what each counts as."""
    rows, after = page_of(operations.every(), lambda row: row.code, paging)
    data = [OperationAnswer.model_validate(row) for row in rows]
    return OperationPage(data=data, has_more=after is not None, next_cursor=after)


@router.get("/reference/un-numbers", name="un_numbers", summary="List UN numbers")
async def un_numbers_(work: Work, actor: Reads, paging: Paging) -> UnNumberPage:
    """Those that ship; the load's papers say which packing group holds."""
    rows, after = page_of(un_numbers.every(), lambda row: row.number, paging)
    data = [UnNumberAnswer.model_validate(dataclasses.asdict(row)) for row in rows]
    return UnNumberPage(data=data, has_more=after is not None, next_cursor=after)


@router.get("/reference/materials", name="materials", summary="List materials")
async def materials_(work: Work, actor: Reads, paging: Paging) -> MaterialPage:
    """What compositions and outputs may name."""
    rows, after = page_of(materials.every(), lambda row: row.code, paging)
    data = [MaterialAnswer.model_validate(row) for row in rows]
    return MaterialPage(data=data, has_more=after is not None, next_cursor=after)


@router.get("/reference/hazard-properties", name="hazard_properties", summary="List hazardous properties")
async def hazard_properties_(work: Work, actor: Reads, paging: Paging) -> HazardPropertyPage:
    """What `hp_codes` of an item may name."""
    rows, after = page_of(hazard_properties.every(), lambda row: row.code, paging)
    data = [HazardPropertyAnswer.model_validate(row) for row in rows]
    return HazardPropertyPage(data=data, has_more=after is not None, next_cursor=after)
