"""One call: what goes onto the wire, before any of it is sent."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypedDict
from urllib.parse import quote

from ._models import NOT_GIVEN, Model

File: TypeAlias = bytes | BinaryIO | Path | tuple[str, bytes | BinaryIO]
"""A file to send: its bytes, an open binary file, a path, or (filename, bytes or open file)."""


class Options(TypedDict, total=False):
    """What every call takes besides its own arguments.

    timeout: seconds per attempt. max_retries: further attempts after the first. account: act for `org_…` by delegation in
    this call, or with None for yourself, whatever the client says. extra_headers: sent last, so they win.
    """

    timeout: float
    max_retries: int
    account: str | None
    extra_headers: Mapping[str, str]


class WriteOptions(Options, total=False):
    """Options of a call that is made at most once per key. Without one the client makes a UUID for each call."""

    idempotency_key: str


@dataclass(frozen=True)
class Call:
    """An operation with its arguments; NOT_GIVEN is left out wherever it stands."""

    method: str
    path: str
    query: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, Any] = field(default_factory=dict)
    json: Any = NOT_GIVEN
    form: Mapping[str, Any] | None = None
    files: Mapping[str, Any] | None = None
    content: Any = NOT_GIVEN
    content_type: str | None = None
    accept: str = "application/json"
    is_public: bool = False
    is_keyed: bool = False

    @property
    def is_repeatable(self) -> bool:
        """Whether a second attempt cannot have a second effect."""
        return self.is_keyed or self.method in ("GET", "HEAD", "PUT", "DELETE", "OPTIONS")


@dataclass(frozen=True)
class Body:
    """The encoded body, the same bytes for every attempt under one key."""

    content: bytes | None = None
    content_type: str | None = None
    form: Mapping[str, Any] | None = None
    files: list[tuple[str, tuple[str, bytes]]] | None = None


def segment(value: object) -> str:
    """A path argument, escaped. Empty and dotted ones would address another resource and are refused."""
    text = str(value)
    if text in ("", ".", ".."):
        raise ValueError(f"{text!r} is not an id")
    return quote(text, safe="")


def etag(value: object) -> object:
    """The If-Match header for a version or for an ETag as it came."""
    if value is NOT_GIVEN or str(value).startswith(('"', "W/", "*")):
        return value
    return f'"{value}"'


def optional(fields: Mapping[str, Any]) -> Any:
    """The fields of a body that may be absent, or NOT_GIVEN when none of them is given."""
    return given(fields) or NOT_GIVEN


def given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not NOT_GIVEN}


def encode_query(query: Mapping[str, Any]) -> dict[str, Any]:
    """Query parameters; None is left out, since a query has no null."""
    return {name: _query_value(value) for name, value in given(query).items() if value is not None}


def _query_value(value: Any) -> Any:
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_query_value(item) for item in value]
    return _plain(value) if isinstance(value, (date, Model)) else value


def encode_body(call: Call, idempotency_key: str | None) -> Body:
    if call.files is not None:
        return _multipart(call, idempotency_key or "")
    if call.form is not None:
        return Body(form={name: _form_value(value) for name, value in given(call.form).items()})
    if call.content is not NOT_GIVEN:
        content = call.content.encode() if isinstance(call.content, str) else call.content
        return Body(content=content, content_type=call.content_type)
    if call.json is NOT_GIVEN:
        return Body()
    return Body(content=encode_json(call.json), content_type=call.content_type or "application/json")


def encode_json(value: Any) -> bytes:
    """Compact JSON. Times need an offset and are sent in UTC; NaN and lone surrogates raise ValueError."""
    return json.dumps(
        _without_not_given(value), default=_plain, ensure_ascii=False, allow_nan=False, separators=(",", ":")
    ).encode()


def _without_not_given(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _without_not_given(item) for name, item in given(value).items()}
    return [_without_not_given(item) for item in value] if isinstance(value, (list, tuple)) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Model):
        return value.to_dict()
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no timezone")
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")


def _form_value(value: Any) -> Any:
    if isinstance(value, (dict, list, tuple)):
        return encode_json(value).decode()
    return _plain(value) if isinstance(value, (date, Model)) else value


def _multipart(call: Call, idempotency_key: str) -> Body:
    """The boundary follows from key and content, so that a repeated upload is the same body to the server."""
    files = [
        (name, _file(one, name))
        for name, value in given(call.files or {}).items()
        for one in (value if isinstance(value, list) else [value])
        if one is not None
    ]
    digest = hashlib.sha256(idempotency_key.encode())
    for _, (filename, content) in files:
        digest.update(filename.encode() + b"\0" + content)
    form = {name: _form_value(value) for name, value in given(call.form or {}).items() if value is not None}
    return Body(files=files, form=form, content_type=f"multipart/form-data; boundary=backhaul-{digest.hexdigest()}")


def _file(value: File, field_name: str) -> tuple[str, bytes]:
    if isinstance(value, Path):
        return value.name, value.read_bytes()
    if isinstance(value, tuple):
        name, content = value
        return name, content if isinstance(content, bytes) else content.read()
    if isinstance(value, bytes):
        return field_name, value
    named = getattr(value, "name", None)
    return Path(named).name if isinstance(named, str) else field_name, value.read()
