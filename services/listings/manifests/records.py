"""CSV records found one by one, so that a broken quote costs its own line and never the rest of the file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST_QUOTED = 20_000
"""Characters a quoted cell may span before its opening quote is taken for a stray one."""
MOST_CELLS = 2_000
"""Far more than a manifest has columns: what is beyond them is not taken apart."""

_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")
_NEWLINE = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Record:
    """One record and the line it starts on (1-based). With a broken quote `cells` is the whole line as one cell."""

    line: int
    cells: list[str]
    is_broken: bool = False

    @property
    def is_blank(self) -> bool:
        return not any(cell.strip() for cell in self.cells)


def records(text: str, delimiter: str) -> Iterator[Record]:
    """Blank ones included. A quote that never closes, or closes in mid-cell, breaks one line; the next is read."""
    plain = re.compile(rf"[^{re.escape(delimiter)}\r\n]*")
    position, line = 0, 1
    while position < len(text):
        whole = _LINE.match(text, position)
        assert whole is not None
        body, end = whole[1], whole.end()
        if '"' not in body:
            yield Record(line, body.split(delimiter, MOST_CELLS))
            position, line = end, line + 1
            continue
        quoted = _quoted_record(text, position, delimiter, plain)
        cells, end = quoted or ([body], end)
        yield Record(line, cells, is_broken=quoted is None)
        line += len(_NEWLINE.findall(text, position, end))
        position = end


def _quoted_record(text: str, position: int, delimiter: str, plain: re.Pattern[str]) -> tuple[list[str], int] | None:
    cells: list[str] = []
    while True:
        found = _cell(text, position, delimiter, plain)
        if found is None or len(cells) > MOST_CELLS:
            return None
        cells.append(found[0])
        position = found[1]
        if text.startswith(delimiter, position):
            position += len(delimiter)
            continue
        newline = _NEWLINE.match(text, position)
        if newline:
            return cells, newline.end()
        return (cells, position) if position == len(text) else None


def _cell(text: str, position: int, delimiter: str, plain: re.Pattern[str]) -> tuple[str, int] | None:
    start = _past_spaces(text, position)
    if text.startswith('"', start):
        return _quoted_cell(text, start + 1)
    unquoted = plain.match(text, position)
    assert unquoted is not None
    return unquoted[0], unquoted.end()


def _quoted_cell(text: str, start: int) -> tuple[str, int] | None:
    position = start
    while True:
        close = text.find('"', position, start + LONGEST_QUOTED)
        if close < 0:
            return None
        if text.startswith('"', close + 1):
            position = close + 2
            continue
        return text[start:close].replace('""', '"'), _past_spaces(text, close + 1)


def _past_spaces(text: str, position: int) -> int:
    while text.startswith(" ", position):
        position += 1
    return position
