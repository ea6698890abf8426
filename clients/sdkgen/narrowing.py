"""When one schema's values are not all values of another: types, enums, limits. Pure."""

from collections.abc import Iterator
from typing import Any

from .document import Schema

LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems")
UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")


def type_breaks(old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    """What is sent may be more kinds of thing than before, what is answered only fewer; integers are numbers."""
    before, after = _types(old), _types(new)
    narrow, wide = (before, after) if is_sent else (after, before)
    if wide and not (narrow and narrow <= _with_integers(wide)):
        yield f"it was {_told(before)} and is {_told(after)}"
    if old.get("format") != new.get("format") and (old.get("format") or is_sent) and (new.get("format") or not is_sent):
        yield f"its format was {old.get('format')} and is {new.get('format')}"


def enum_breaks(old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    """Enums of answers are open for new values, so for both directions it is values that go that break."""
    before, after = _values(old), _values(new)
    if after is None:
        return
    if before is None:
        if is_sent:
            yield f"only {_told(after)} are taken"
        return
    for value in sorted(before - after):
        yield f"{value} is not {'taken' if is_sent else 'answered'} any more"


def limit_breaks(old: Schema, new: Schema, is_sent: bool) -> Iterator[str]:
    """Tighter limits refuse what was taken; what is answered is not limited for its reader."""
    if not is_sent:
        return
    for name in (*LOWER, *UPPER):
        before, after = old.get(name), new.get(name)
        is_tighter = (
            before is None or (after > before if name in LOWER else after < before) if after is not None else False
        )
        if is_tighter:
            yield f"{name} was {before} and is {after}"
    if new.get("pattern") and new.get("pattern") != old.get("pattern"):
        yield f"its pattern is {new['pattern']}"


def _types(schema: Schema) -> frozenset[str]:
    """Empty: anything."""
    kind: Any = schema.get("type")
    if kind is None:
        return frozenset(("object",)) if "properties" in schema else frozenset()
    return frozenset((kind,) if isinstance(kind, str) else kind)


def _with_integers(types: frozenset[str]) -> frozenset[str]:
    return types | {"integer"} if "number" in types else types


def _values(schema: Schema) -> frozenset[str] | None:
    if "const" in schema:
        return frozenset((str(schema["const"]),))
    return frozenset(map(str, schema["enum"])) if "enum" in schema else None


def _told(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)) or "anything"
