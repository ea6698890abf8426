"""JSONL as raw rows: an object a line, its keys the columns. A line that is no object refuses that line."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from services.listings.manifests.raw import (
    MOST_COLUMNS,
    ManifestIsUnreadable,
    RawRow,
    RowProblem,
    columns_of,
    faults_of,
    must_not_be_too_many,
    written_number,
)

_LINE = re.compile(r"([^\r\n]*)(?:\r\n|\r|\n|\Z)")
_STARTS = re.compile(r"\s*\{\s*[\"}]")
_IS_AN_ARRAY = re.compile(r"\s*\[\s*\{")
_IS_SPREAD_OUT = re.compile(r"\s*\{[ \t]*[\r\n]")
_REASON = re.compile(r"\s*\{\s*\"reason\"\s*:\s*")


@dataclass(frozen=True)
class Lines:
    header: tuple[str, ...]
    columns: tuple[str, ...]


class _LineIsWrong(Exception):
    def __init__(self, code: str, detail: str) -> None:
        self.code = code
        self.detail = detail


def is_meant(text: str) -> bool:
    """Whether the text is JSON; `ManifestIsUnreadable` for JSON that is not an object a line."""
    if _IS_AN_ARRAY.match(text):
        raise ManifestIsUnreadable("json", "the file is a JSON array; send one object a line (JSONL)")
    if _IS_SPREAD_OUT.match(text):
        raise ManifestIsUnreadable("json", "an object goes over several lines; send one object a line (JSONL)")
    return _STARTS.match(text) is not None


def lines(text: str) -> Lines:
    """The keys of all objects, in the order in which they first appear. Errors: `ManifestIsUnreadable`."""
    names: dict[str, None] = {}
    for number, (_, line) in enumerate(_filled(text), start=1):
        must_not_be_too_many(number)
        try:
            names.update(dict.fromkeys(_object(line)))
        except _LineIsWrong:
            continue
        if len(names) > MOST_COLUMNS:
            raise ManifestIsUnreadable("too_many_columns", f"a manifest has at most {MOST_COLUMNS} columns")
    header = tuple(names)
    return Lines(header, columns_of(header))


def rows(text: str, columns: dict[str, str], decimal: str) -> Iterator[RawRow]:
    """`columns` goes from a key to the column's name."""
    for number, (place, line) in enumerate(_filled(text), start=1):
        must_not_be_too_many(number)
        yield _raw_row(number, place, line, columns, decimal)


def without_reason(line: str) -> str:
    """The line without the reason that an earlier round has put first."""
    found = _REASON.match(line)
    if found is None:
        return line
    try:
        _, end = json.JSONDecoder().raw_decode(line, found.end())
    except ValueError:
        return line
    return "{" + line[end:].lstrip().removeprefix(",").lstrip()


def _filled(text: str) -> Iterator[tuple[int, str]]:
    for place, found in enumerate(_LINE.finditer(text), start=1):
        if found[1].strip():
            yield place, found[1]


def _raw_row(number: int, place: int, line: str, columns: dict[str, str], decimal: str) -> RawRow:
    try:
        values = _object(line)
        told = {columns[name]: _text_of(value, decimal) for name, value in values.items()}
    except _LineIsWrong as wrong:
        return RawRow(number, place, {}, [line], (RowProblem(number, "", wrong.code, wrong.detail),))
    except (KeyError, RecursionError):
        deep = RowProblem(number, "", "json_malformed", "the object is nested too deeply")
        return RawRow(number, place, {}, [line], (deep,))
    cells = dict.fromkeys(columns.values(), "") | told
    nested = frozenset(columns[name] for name, value in values.items() if isinstance(value, dict | list))
    problems = tuple(RowProblem(number, "", code, detail) for code, detail in faults_of(list(cells.values())))
    return RawRow(number, place, cells, [line], problems, nested)


def _text_of(value: Any, decimal: str) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    return written_number(value, decimal) if isinstance(value, int | Decimal) else json.dumps(value, default=str)


def _object(line: str) -> dict[str, Any]:
    try:
        found = _DECODER.decode(line)
    except _LineIsWrong:
        raise
    except (ValueError, ArithmeticError, RecursionError):
        raise _LineIsWrong("json_malformed", "the line is not a JSON object") from None
    if not isinstance(found, dict):
        raise _LineIsWrong("json_malformed", "the line is not a JSON object")
    if len(found) > MOST_COLUMNS:
        raise _LineIsWrong("json_malformed", f"the object has more than {MOST_COLUMNS} keys")
    return found


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _LineIsWrong("key_repeated", "the object has a key twice")
    return found


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_unrepeated, parse_float=Decimal, parse_constant=_refuse)
