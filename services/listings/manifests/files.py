"""A manifest's file opened by what it is, not by what it is called: CSV, XLSX or JSONL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

from services.listings.manifests import json_lines, reading, workbooks
from services.listings.manifests.encodings import decode
from services.listings.manifests.raw import RawRow

Format = Literal["csv", "xlsx", "jsonl"]
MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/jsonl",
}


@dataclass(frozen=True)
class ManifestFile:
    """`header` as written, `columns` the same made unique; `rows` reads the file anew each time. `delimiter` is "" for what has
    none, `encoding` "" for a workbook. `notes` tell how it was decoded."""

    format: Format
    header: tuple[str, ...]
    columns: tuple[str, ...]
    rows: Callable[[], Iterator[RawRow]]
    delimiter: str = ""
    encoding: str = ""
    has_bom: bool = False
    notes: tuple[str, ...] = ()


def opened(content: bytes, decimal: str = ".") -> ManifestFile:
    """Numbers that the file holds as such are told with this decimal mark. Errors: `ManifestIsUnreadable`, here or in `rows`."""
    if content.startswith(workbooks.START):
        sheet = workbooks.sheet(content, decimal)
        return ManifestFile("xlsx", sheet.header, sheet.columns, sheet.rows, notes=sheet.notes)
    decoded = decode(content)
    text = decoded.text
    told = decoded.encoding, decoded.has_bom, decoded.problems
    if json_lines.is_meant(text):
        lines = json_lines.lines(text)
        names = dict(zip(lines.header, lines.columns, strict=True))
        rows = partial(json_lines.rows, text, names, decimal)
        return ManifestFile("jsonl", lines.header, lines.columns, rows, "", *told)
    table = reading.table(text)
    return ManifestFile("csv", table.header, table.columns, partial(reading.rows, text), table.delimiter, *told)
