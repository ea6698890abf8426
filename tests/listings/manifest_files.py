"""Manifests for tests, and what a test asks of their reading."""

import csv
import io

from services.listings.manifests import returning
from services.listings.manifests.encodings import decode
from services.listings.manifests.profiles import PROFILES
from services.listings.manifests.rows import Reading

OWN = PROFILES["backhaul-1"]
HEADER = "external_id,item_key,return_reason,condition_grade,mass,mass_unit,fault"


def motor(
    external_id: str, *, item: str = "motor", reason: str = "end_of_life", mass: str = "300", fault: str = ""
) -> str:
    return f"{external_id},{item},{reason},salvage,{mass},kg,{fault}"


def manifest(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines, ""]).encode()


def landed(read: Reading) -> list[str]:
    return [row.external_id for row in read.rows]


def refusals(read: Reading) -> list[tuple[int, str, str]]:
    return [(row.row_number, problem.pointer, problem.code) for row in read.refused for problem in row.problems]


def sent_back(read: Reading) -> bytes:
    """The file of what the reading refused."""
    return returning.refused_file(read, {row.row_number: row.problems for row in read.refused})


def returned(read: Reading) -> list[dict[str, str]]:
    text = decode(sent_back(read)).text
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter=read.file.delimiter))
