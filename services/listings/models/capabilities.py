"""What a listing for invited organizations asks of those it lets in besides the ones it names."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.parties.models.fields import CountryCode

MOST_ADMITTED = 1_000
"""A listing that more may see is as good as public."""


class InvitedCapability(BaseModel):
    """A verified processor has it whose role and country are among these (none named: any) and whose permits are such as are
    asked for."""

    model_config = ConfigDict(extra="forbid")

    roles: Annotated[list[Literal["repairer", "remanufacturer", "recycler"]], Field(max_length=3)] = Field(
        default_factory=list, description="One of these; none named: any of them"
    )
    countries: Annotated[list[CountryCode], Field(max_length=50)] = Field(
        default_factory=list, description="Registered in one of these, ISO 3166-1 alpha-2; none named: anywhere"
    )
    has_permit: bool = Field(
        default=False,
        description="Its treatment permits in force today (UTC) name every waste code of the items, all at one place",
    )
    operation: Annotated[str, StringConstraints(min_length=2, max_length=3)] | None = Field(
        default=None, description="Only permits for this operation count, R1 to R13 or D1 to D15"
    )

    @property
    def is_empty(self) -> bool:
        return not (self.roles or self.countries or self.has_permit)
