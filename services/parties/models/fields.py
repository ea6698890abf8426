"""Kinds of fields that the tables of the parties share."""

from typing import Annotated

from pydantic import AllowInfNan, StringConstraints
from pydantic import Field as Limits
from sqlalchemy import ARRAY, Column, Text

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
CountryCode = Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")]
Email = Annotated[
    str, StringConstraints(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", max_length=254, strip_whitespace=True, to_lower=True)
]
Latitude = Annotated[float, AllowInfNan(False), Limits(ge=-90, le=90)]
Longitude = Annotated[float, AllowInfNan(False), Limits(ge=-180, le=180)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+[1-9][0-9]{6,14}$", strip_whitespace=True)]
"""E.164."""
ClockTime = Annotated[str, StringConstraints(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


def texts() -> "Column[list[str]]":
    return Column(ARRAY(Text), nullable=False)
