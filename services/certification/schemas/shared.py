"""What requests and answers of certification share."""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from services.certification.files import Offered
from services.kernel.http.schemas import Request, Text
from services.kernel.quantities import Mass

MassMethod = Literal["weighbridge", "floor_scale", "counted", "declared", "estimated"]
Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$"), Field(description="64 hexadecimal digits")]
MediaType = Annotated[str, StringConstraints(pattern=r"^[a-z0-9.+-]+/[a-z0-9.+-]+$", max_length=100)]
Kilometres = Annotated[
    Decimal,
    Field(gt=0, le=40_000, max_digits=8, decimal_places=3, description="By road, declared", examples=["231"]),
]

BATCH = "bat_01kaq4m8q3e8xvw2t5n6r7s8d9"
EVENT = "cst_01kaq4m8q3e8xvw2t5n6r7s8d9"
ORGANIZATION = "org_01kaq4m8q3e8xvw2t5n6r7s8d9"
TICKET: JsonDict = {
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "name": "scale-ticket-4711.pdf",
    "media_type": "application/pdf",
    "size": 48211,
}


def example(body: JsonDict) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [body]})


class Evidence(Request):
    """A file you keep; its hash proves later which it was. It enters a certificate as a salted hash, never itself."""

    model_config = example(TICKET)

    sha256: Sha256
    name: Text
    media_type: MediaType
    size: int = Field(ge=1, le=10**12, description="Bytes")

    def offered(self) -> Offered:
        return Offered(self.sha256, self.name, self.media_type, self.size)


def grams(mass: int | None) -> Mass | None:
    return None if mass is None else Mass(mass)
