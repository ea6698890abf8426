"""A workbook's archive, which anybody may have written: opened so that neither what it unpacks to nor how it is nested can fill the
memory or keep a parser busy.

Only sheets and their texts are ever large, and those are read a piece at a time; everything else is small or not read. A parser
begins a tag anew with every piece until it ends, so that one endless tag costs the square of its length: none gets long. What a
part holds beyond its declared size is an error."""

import re
import zipfile
from collections.abc import Iterator
from io import BytesIO
from types import TracebackType
from typing import Any, Self

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.worksheet._reader import DATA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml.constants import SHARED_STRINGS
from openpyxl.xml.functions import iterparse

from services.listings.manifests.raw import ManifestIsUnreadable

MiB = 1024 * 1024
MOST_PARTS = 2_000
LARGEST_SHEET = 256 * MiB
LARGEST_TEXTS = 64 * MiB
LARGEST_PART = 8 * MiB
"""Of what is read as a whole: styles, the list of sheets; pictures are never unpacked."""
LARGEST_BOOK = 512 * MiB
"""Of all that is XML together."""
LONGEST_TAG = MiB
"""With the text behind it."""
MOST_ELEMENTS = 200_000
"""Of one row, or before the first."""


class Book:
    """`parts` are the sheets, in their order."""

    def __init__(self, content: bytes) -> None:
        """Errors: `ManifestIsUnreadable`, and whatever a broken archive makes the reader raise."""
        with zipfile.ZipFile(BytesIO(content)) as archive:
            _must_be_bounded(archive.infolist())
        reader = ExcelReader(BytesIO(content), read_only=True, data_only=True, keep_links=False)
        reader.archive = _Archive(BytesIO(content))
        reader.read_manifest()
        _must_hold_texts(reader)
        reader.read_strings()
        reader.read_workbook()
        apply_stylesheet(reader.archive, reader.wb)
        self._reader = reader
        sheets = [rel for _, rel in reader.parser.find_sheets() if "chartsheet" not in rel.Type]
        self.parts = [rel.target for rel in sheets if rel.target in reader.valid_files]

    def rows(self, part: str) -> Iterator[tuple[int, list[dict[str, Any]]]]:
        """(row, its cells as [{column, value}]), both counted from 1; rows that are not there are left out."""
        wb = self._reader.wb
        with self._reader.archive.open(part) as source:
            parser = WorkSheetParser(
                source,
                self._reader.shared_strings,
                data_only=True,
                epoch=wb.epoch,
                date_formats=wb._date_formats,
                timedelta_formats=wb._timedelta_formats,
            )
            elements = 0
            for event, element in iterparse(source, events=("start", "end")):
                if event == "start":
                    elements += 1
                    if elements > MOST_ELEMENTS:
                        raise _too_large()
                elif element.tag == ROW_TAG:
                    yield parser.parse_row(element)
                    element.clear()
                    elements = 0
                elif element.tag == DATA_TAG:
                    return


def _must_be_bounded(parts: list[zipfile.ZipInfo]) -> None:
    too_large = any(part.file_size > _limit(part.filename) for part in parts)
    together = sum(part.file_size for part in parts if _is_xml(part.filename))
    if too_large or len(parts) > MOST_PARTS or together > LARGEST_BOOK:
        raise _too_large()


def _limit(name: str) -> int:
    if name.startswith("xl/worksheets/"):
        return LARGEST_SHEET
    if name.endswith("sharedStrings.xml"):
        return LARGEST_TEXTS
    return LARGEST_PART if _is_xml(name) else LARGEST_SHEET


def _is_xml(name: str) -> bool:
    return name.endswith((".xml", ".rels"))


def _must_hold_texts(reader: ExcelReader) -> None:
    """Whatever the part is called."""
    told = reader.package.find(SHARED_STRINGS)
    if told is not None and reader.archive.getinfo(told.PartName[1:]).file_size > LARGEST_TEXTS:
        raise _too_large()


def _too_large() -> ManifestIsUnreadable:
    return ManifestIsUnreadable("workbook", "the workbook unpacks to more than is read here; send it as CSV")


class _Archive(zipfile.ZipFile):
    def open(self, name: Any, *given: Any, **named: Any) -> Any:
        part = self.getinfo(name) if isinstance(name, str) else name
        return _Part(super().open(name, *given, **named), part.file_size)


_ENDLESS = re.compile(rb"<!--|<\?")
_ENDS = {b"<!--": b"-->", b"<?": b"?>"}


class _Part:
    """A part's bytes, as long as none of its tags, comments and instructions is endless. UTF-16, which no workbook is written in,
    would hide them."""

    def __init__(self, source: Any, size: int) -> None:
        self._source = source
        self._size = size
        self._open = b""

    def read(self, count: int = -1) -> bytes:
        if count < 0 and self._size > LARGEST_PART:
            raise _too_large()
        piece: bytes = self._source.read(count)
        self._open = _unended(self._open + piece)
        if len(self._open) > LONGEST_TAG or b"\0" in piece:
            raise _too_large()
        return piece

    def close(self) -> None:
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _unended(text: bytes) -> bytes:
    """What of the text a parser might have to read again with the next piece, and what has no tag in it at all."""
    position = 0
    while (found := _ENDLESS.search(text, position)) is not None:
        end = text.find(_ENDS[found[0]], found.end())
        if end < 0:
            return text[found.start() :]
        position = end
    return text[max(position, text.rfind(b"<", position)) :]
