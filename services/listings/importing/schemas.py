"""Requests and answers of imports and of the mappings kept for them."""

from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field, StringConstraints

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import ImportId, ImportProfileId, ListingId
from services.kernel.pagination import Page
from services.listings.manifests import mapping as mappings
from services.listings.manifests.proposing import Proposal
from services.listings.models import Import

ProfileName = Annotated[
    str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True), Field(examples=["wms-kassel"])
]
MAPPING: dict[str, Any] = {
    "decimal": ",",
    "fields": {
        "external_id": "Inventarnummer",
        "item_key": {"columns": ["Artikelnummer", "Zustand"], "separator": " / "},
        "return_reason": {"column": "Grund", "table": {"defekt": "defective", "Altgerät": "end_of_life"}},
        "condition_grade": {"constant": "salvage"},
        "mass": "Gewicht",
        "mass_unit": {"constant": "kg"},
    },
}
MappingDocument = Annotated[
    dict[str, Any],
    Field(
        description="Target field → a column's name; `{column, is_optional, blanks, table}`; `{columns, separator}`; or"
        " `{constant}`. `decimal` is the decimal mark of text cells."
    ),
]


class RowProblemAnswer(Response):
    """Why a row went back. `row` counts data rows from 1; null for what concerns the whole file."""

    row: int | None
    pointer: str
    code: str
    detail: str


class ImportAnswer(Response):
    """The reading of one manifest. rows = imported + refused; imported = added + updated + unchanged.

    `problems` are the first hundred; `GET /v1/imports/{id}/refused` is the file with all refused rows. While it runs,
    `rows_read` and then `rows_landed` rise; the counts are told when it has ended."""

    id: ImportId
    livemode: bool
    created_at: UtcDatetime
    version: int
    listing_id: ListingId | None = Field(description="Null for a trial with a listing that would be new")
    status: str = Field(description="received, reading, landing, completed or failed")
    is_trial: bool = Field(description="Every row is judged, nothing lands")
    file_name: str
    file_format: str | None = Field(
        description="csv, xlsx or jsonl, told by the content; null until it has been opened"
    )
    size_bytes: int
    sha256: str
    profile: str | None
    mapping: dict[str, Any]
    rows_total: int | None = Field(description="Known once the file has been read")
    rows_read: int
    rows_landed: int
    rows: int
    imported: int
    added: int
    updated: int
    unchanged: int
    refused: int
    problems: list[RowProblemAnswer]
    notes: list[str] = Field(description="How the file was decoded, where something had to be guessed")
    failure_code: str | None
    failure: str | None
    completed_at: UtcDatetime | None

    @classmethod
    def of(cls, row: Import) -> Self:
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields})


class ImportPage(Page[ImportAnswer]):
    """Imports, newest first."""


class ColumnAnswer(Response):
    """A column of the file and what it is taken for."""

    column: str
    target: str | None = Field(description="A target field of the mapping; null where nothing is proposed")
    confidence: float = Field(ge=0, le=1)
    samples: list[str] = Field(description="Some of its cells, shortened")


class ProposalAnswer(Response):
    """A mapping proposed from the header and the first rows; nothing is kept of the file."""

    file_format: str = Field(description="csv, xlsx or jsonl")
    encoding: str | None = Field(description="Null for a workbook")
    delimiter: str | None = Field(description="Null for what has none")
    profile: str | None = Field(description="A shipped mapping that reads the file as it is")
    mapping: MappingDocument
    columns: list[ColumnAnswer]
    unmapped: list[str] = Field(description="Columns that nothing is proposed for")
    missing: list[str] = Field(description="Targets that every mapping needs and this one has not")
    unknown_values: dict[str, list[str]] = Field(description="Cells whose meaning nobody knows, by target")
    notes: list[str]

    @classmethod
    def of(cls, proposal: Proposal) -> Self:
        file = proposal.file
        columns = [ColumnAnswer.model_validate(column) for column in proposal.columns]
        return cls(
            file_format=file.format,
            encoding=file.encoding or None,
            delimiter=file.delimiter or None,
            profile=proposal.profile,
            mapping=mappings.document(proposal.mapping),
            columns=columns,
            unmapped=[column.column for column in columns if column.target is None],
            missing=list(proposal.missing),
            unknown_values={target: list(values) for target, values in proposal.unknown_values.items()},
            notes=list(file.notes),
        )


class NewProfile(Request):
    """A mapping under a name of your own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "wms-kassel", "mapping": MAPPING}]})

    name: ProfileName
    mapping: MappingDocument


class ChangedProfile(Request):
    """What is sent replaces, what is not stays. Imports that have used it keep the mapping they were sent with."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"mapping": MAPPING}]})

    name: ProfileName | None = None
    mapping: MappingDocument | None = None


class ProfileAnswer(Response):
    """A mapping that your organization has kept."""

    id: ImportProfileId
    livemode: bool
    created_at: UtcDatetime
    version: int
    name: str
    mapping: MappingDocument


class ProfilePage(Page[ProfileAnswer]):
    """Kept mappings, newest first."""
