"""What the audit trail must never keep."""

import re

from sqlmodel import SQLModel

from services import app
from services.kernel.audit.shapes import Shape, shape_of

SMELL = re.compile("secret|hash|password|token|sealed")
NO_SECRETS = {
    "audit_entry": {"prev_hash", "hash"},
    "custody_event": {"prev_hash", "hash"},
    "handover": {"content_hash"},
    "idempotency_record": {"key_hash", "request_hash"},
    "ledger_posting": {"body_hash"},
    "order": {"terms_hash"},
}
"""Digests of what their readers know anyway."""


def _shapes() -> list[Shape]:
    assert app.CONTEXTS
    return [shape_of(mapper.class_.model_construct()) for mapper in SQLModel._sa_registry.mappers]


def test_every_column_that_may_hold_a_secret_is_kept_out_of_the_trail() -> None:
    found = [
        f"{shape.table}.{name}: declare it in __audit_hidden__, or here if it is none"
        for shape in _shapes()
        for name in shape.columns
        if SMELL.search(name) and shape.is_audited and name not in shape.hidden | NO_SECRETS.get(shape.table, set())
    ]
    assert found == []
