"""Whether a document is what it says: our own rules always, and the UNTP 0.7.0 schema of its type where it is at hand.

The schemas lie in `untp-0.7.0/schemas` of the folder named by BACKHAUL_REFERENCE and are read once; they do not ship. Our
rules are the two schemas in `data/` and, for certificates of ours, the sums and orders no schema can say (`rules.py`).
"""

import json
import os
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jsonschema_rs import Draft202012Validator, ValidationError

from services.certification.documents import rules
from services.certification.documents.rules import Problem

UNTP = "untp-0.7.0"
OWN = "own rules"

_UNTP_TYPES = (
    "DigitalConformityCredential",
    "DigitalTraceabilityEvent",
    "DigitalIdentityAnchor",
    "DigitalFacilityRecord",
    "DigitalProductPassport",
)
_OWN_SCHEMAS = files("services.certification.documents") / "data"
_LONGEST_DETAIL = 300


def problems(document: Mapping[str, Any]) -> list[Problem]:
    """Empty where the document is good; `validated_by` says against what."""
    found = _by_schema(_own_schema("credential"), document)
    published = _untp_schemas(_reference())
    for name in _types(document) & set(published):
        found += _by_schema(published[name], document)
    if rules.is_ours(document):
        shape = _by_schema(_own_schema("certificate"), document)
        found += shape or rules.broken(document)
    return list(dict.fromkeys(found))


def validated_by() -> str:
    """ "untp-0.7.0" where its schemas are at hand, else "own rules": kept in the certificate's record."""
    return UNTP if _untp_schemas(_reference()) else OWN


def _reference() -> str | None:
    return os.environ.get("BACKHAUL_REFERENCE") or None


@cache
def _untp_schemas(reference: str | None) -> Mapping[str, Draft202012Validator]:
    """All five or none: half a release is no release."""
    if reference is None:
        return {}
    paths = {name: Path(reference) / UNTP / "schemas" / f"{name}.json" for name in _UNTP_TYPES}
    if not all(path.is_file() for path in paths.values()):
        return {}
    return {name: _validator(path.read_text(encoding="utf-8")) for name, path in paths.items()}


@cache
def _own_schema(name: str) -> Draft202012Validator:
    return _validator((_OWN_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8"))


def _validator(schema: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema), validate_formats=True, offline=True)


def _types(document: Mapping[str, Any]) -> set[str]:
    types = document.get("type")
    named: Iterable[Any] = types if isinstance(types, list) else [types]
    return {name for name in named if isinstance(name, str)}


def _by_schema(validator: Draft202012Validator, document: Mapping[str, Any]) -> list[Problem]:
    return [_problem(error) for error in validator.iter_errors(document)]


def _problem(error: ValidationError) -> Problem:
    pointer = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.instance_path)
    return Problem(
        pointer, str(error.schema_path[-1]) if error.schema_path else "schema", error.message[:_LONGEST_DETAIL]
    )
