"""Waste codes and factor sets."""

from datetime import date
from typing import Self

from pydantic import Field

from services.certification.impact.factors import FactorSet
from services.kernel.http.schemas import Response
from services.kernel.pagination import Page
from services.kernel.reference.waste_codes import WasteCode


class WasteCodeAnswer(Response):
    """An entry as it holds in a jurisdiction, from–until inclusive; null is open."""

    scheme: str
    code: str = Field(description="Six digits")
    printed: str = Field(description='As "16 06 07*"')
    jurisdiction: str
    is_hazardous: bool
    entry_type: str | None = Field(description="absolute, mirror, or null where no source says it")
    title: str
    valid_from: date | None
    valid_until: date | None
    source: str

    @classmethod
    def of(cls, scheme: str, found: WasteCode) -> Self:
        return cls(
            scheme=scheme,
            code=found.code,
            printed=found.printed,
            jurisdiction=found.jurisdiction,
            is_hazardous=found.is_hazardous,
            entry_type=found.entry_type,
            title=found.title,
            valid_from=found.valid_from,
            valid_until=found.valid_until,
            source=found.source,
        )


class FactorSetAnswer(Response):
    """A set of factors; a statement uses one, and names it with its hash."""

    id: str
    title: str
    version: str
    region: str
    year: int
    licence: str
    attribution: str
    method: str
    boundary: str
    indicators: list[str]
    materials: list[str]
    sha256: str

    @classmethod
    def of(cls, found: FactorSet) -> Self:
        plain = {name: getattr(found, name) for name in cls.model_fields if hasattr(found, name)}
        return cls(**{**plain, "indicators": list(found.indicators), "materials": sorted(found.subjects)})


class FactorSetPage(Page[FactorSetAnswer]):
    """Factor sets."""
