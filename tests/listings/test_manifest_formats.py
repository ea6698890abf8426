"""CSV, XLSX and JSONL: told by content, read alike, and sent back as they came."""

import codecs
import csv
import io
import json
import time
import zipfile
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from services.listings.manifests import rows, workbooks
from services.listings.manifests.files import opened
from services.listings.manifests.mapping import Mapping
from services.listings.manifests.raw import ManifestIsUnreadable, written_number
from services.listings.manifests.returning import guarded
from tests.listings.manifest_files import HEADER, OWN, landed, manifest, motor, refusals, sent_back

COLUMNS = HEADER.split(",")
RUNS = ["=cmd|'/c calc'!A0", "+1+1", "-2-3", "@SUM(A1)"]


def workbook(*lines: list[Any], sheets: int = 1) -> bytes:
    book = Workbook()
    first = book.worksheets[0]
    for line in [COLUMNS, *lines]:
        first.append(line)
    for number in range(1, sheets):
        book.create_sheet(f"more {number}").append(["not", "read"])
    return saved(book)


def saved(book: Workbook) -> bytes:
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def jsonl(*objects: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in objects).encode()


def thing(external_id: Any, **said: Any) -> dict[str, Any]:
    usual = {"item_key": "motor", "return_reason": "end_of_life", "condition_grade": "salvage", "mass": "300 kg"}
    return {"external_id": external_id} | usual | said


def line(external_id: Any, mass: Any = 300, fault: Any = None) -> list[Any]:
    return [external_id, "motor", "end_of_life", "salvage", mass, "kg", fault]


def unreadable(content: bytes) -> str:
    with pytest.raises(ManifestIsUnreadable) as error:
        rows.read_all(content, OWN)
    return error.value.code


# Workbooks


def test_a_workbook_is_read_by_its_content() -> None:
    read = rows.read_all(workbook(line(4711, 12.5), line("B", "12.5")), OWN)
    assert (read.file.format, landed(read), [row.mass_g for row in read.rows]) == (
        "xlsx",
        ["4711", "B"],
        [12_500, 12_500],
    )


def test_numbers_of_a_workbook_have_the_decimal_mark_of_the_mapping() -> None:
    german = Mapping(OWN.fields, ",")
    read = rows.read_all(workbook(line("A", 12.5), line("B", "12,5")), german)
    assert [row.mass_g for row in read.rows] == [12_500, 12_500]


def test_a_formula_is_read_as_the_value_stored_with_it() -> None:
    book = load_workbook(io.BytesIO(workbook(line("A"))))
    book.worksheets[0]["A3"] = "=A2"
    read = rows.read_all(saved(book), OWN)
    assert (landed(read), refusals(read)) == (["A"], [])


def test_a_formula_that_ended_in_an_error_refuses_its_row() -> None:
    read = rows.read_all(workbook(line("A"), line("B", fault="#N/A")), OWN)
    assert (landed(read), refusals(read)) == (["A"], [(2, "", "cell_error")])


def test_empty_rows_and_columns_around_a_table_are_no_rows() -> None:
    read = rows.read_all(workbook(line("A"), [], [None, "", None], [*line("B"), None, None]), OWN)
    assert (landed(read), read.refused) == (["A", "B"], [])


def test_the_first_filled_sheet_is_read_and_the_rest_told() -> None:
    assert rows.read_all(workbook(line("A"), sheets=3), OWN).file.notes == ("sheet 1 was read; 2 others were not",)


def test_refused_rows_of_a_workbook_go_back_as_typed_cells() -> None:
    seen = datetime.fromisoformat("2026-11-03")
    read = rows.read_all(workbook(line("A"), line(17, "heavy", seen)), OWN)
    (head, back) = load_workbook(io.BytesIO(sent_back(read))).worksheets[0].iter_rows(values_only=True)
    assert head == ("reason", *COLUMNS)
    assert back[1:] == tuple(line(17, "heavy", seen))
    assert str(back[0]).startswith("mass mass_malformed")


@pytest.mark.parametrize("formula", RUNS)
def test_text_that_looks_like_a_formula_stays_text_in_a_workbook(formula: str) -> None:
    read = rows.read_all(with_fault(formula), OWN)
    cell = load_workbook(io.BytesIO(sent_back(read))).worksheets[0]["H2"]
    assert (cell.value, cell.data_type, cell.quotePrefix) == (formula, "s", True)


def with_fault(text: str) -> bytes:
    """A workbook whose one row is refused, and whose fault is this text, no formula."""
    book = load_workbook(io.BytesIO(workbook(line("A", "heavy"))))
    cell = book.worksheets[0]["G2"]
    cell.value, cell.data_type = text, "s"
    return saved(book)


def test_a_workbook_sent_back_twice_has_one_reason() -> None:
    first = sent_back(rows.read_all(workbook(line("A", "heavy")), OWN))
    again = rows.read_all(sent_back(rows.read_all(first, OWN)), OWN)
    assert again.file.header == ("reason", *COLUMNS)


@pytest.mark.parametrize("cut", [30, 400, 3_000])
def test_a_workbook_cut_off_is_unreadable(cut: int) -> None:
    assert unreadable(workbook(line("A"))[:cut]) == "workbook"


def test_an_archive_that_is_no_workbook_is_unreadable() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert unreadable(out.getvalue()) == "workbook"


def test_a_zip_bomb_is_refused_before_it_is_unpacked() -> None:
    out = io.BytesIO(workbook(line("A")))
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", b" " * (9 * 1024 * 1024))
    assert unreadable(out.getvalue()) == "workbook"


SHEET = "xl/worksheets/sheet1.xml"
MAIN = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'


def with_part(name: str, content: bytes, *, also: dict[str, bytes] | None = None) -> bytes:
    """A workbook of whose parts this one is another."""
    given = {name: content} | (also or {})
    out = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(workbook(line("A")))) as book,
        zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as bomb,
    ):
        for part in book.namelist():
            bomb.writestr(part, given.pop(part) if part in given else book.read(part))
        for part, more in given.items():
            bomb.writestr(part, more)
    return out.getvalue()


BOMBS = {
    "an endless tag": MAIN + b'<row r="1"><c r="' + b"A" * (9 * 1024 * 1024),
    "an endless tag with a bracket in it": MAIN + b'<row r="1"><c r=">' + b"A" * (9 * 1024 * 1024),
    "an endless comment": MAIN + b"<!--" + b"<>" * (5 * 1024 * 1024),
    "a tag of attributes": MAIN + b"<row " + b" ".join(b'a%d=""' % number for number in range(400_000)),
    "a row without an end": MAIN + b'<row r="1">' + b"<c/>" * 2_500_000,
    "a nest without an end": MAIN + b"<row>" + b"<c>" * 3_000_000,
    "what is not even a row": MAIN.replace(b"<sheetData>", b"") + b"<a/>" * 2_500_000,
    "what hides in utf-16": (MAIN.decode() + "<!--" + "<>" * 600_000).encode("utf-16"),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_sheet_that_would_fill_the_memory_or_keep_the_parser_busy_is_refused(bomb: str) -> None:
    began = time.process_time()
    assert unreadable(with_part(SHEET, BOMBS[bomb])) == "workbook"
    assert time.process_time() - began < 3


def test_texts_are_bounded_whatever_their_part_is_called() -> None:
    types = zipfile.ZipFile(io.BytesIO(workbook(line("A")))).read("[Content_Types].xml")
    texts = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    told = b'<Override PartName="/xl/worksheets/texts.xml" ContentType="' + texts + b'" /></Types>'
    named = types.replace(b"</Types>", told)
    bomb = with_part("xl/worksheets/texts.xml", b" " * (65 * 1024 * 1024), also={"[Content_Types].xml": named})
    assert unreadable(bomb) == "workbook"


def test_what_is_read_as_a_whole_is_small_whatever_it_is_called() -> None:
    types = zipfile.ZipFile(io.BytesIO(workbook(line("A")))).read("[Content_Types].xml")
    named = types.replace(b"/xl/workbook.xml", b"/xl/media/picture.png")
    bomb = with_part("xl/media/picture.png", b" " * (9 * 1024 * 1024), also={"[Content_Types].xml": named})
    assert unreadable(bomb) == "workbook"


def test_all_sheets_together_are_bounded() -> None:
    many = {f"xl/worksheets/more{number}.xml": b" " * (200 * 1024 * 1024) for number in range(3)}
    assert unreadable(with_part("xl/theme/theme1.xml", b"<a/>", also=many)) == "workbook"


def test_rows_as_wide_as_the_sheet_are_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_CELLS", 100_000)
    wide = b"".join(b'<row r="%d"><c r="XFD%d"/></row>' % (number, number) for number in range(1, 10))
    assert unreadable(with_part(SHEET, MAIN + wide + b"</sheetData></worksheet>")) == "too_many_columns"


def test_a_sheet_that_claims_a_far_away_cell_is_read_in_no_time() -> None:
    book = load_workbook(io.BytesIO(workbook(line("A"))))
    book.worksheets[0]["XFD1048576"] = "far away"
    assert unreadable(saved(book)) == "too_many_rows"


# JSONL


def test_jsonl_is_read_by_its_content() -> None:
    read = rows.read_all(jsonl(thing(1), thing("B", fault=None), thing("C", fault="Gehäuse", data_bearing=False)), OWN)
    assert (read.file.format, landed(read), read.rows[2].fault) == ("jsonl", ["1", "B", "C"], "Gehäuse")
    assert [row.data_bearing for row in read.rows] == [None, None, False]


def test_a_key_that_only_a_late_row_has_is_a_column_too() -> None:
    read = rows.read_all(jsonl(*[thing(number) for number in range(300)], thing("Z", brand="Acme")), OWN)
    assert read.rows[-1].brand == "Acme"


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ('{"external_id": "B"', "json_malformed"),
        ("[1, 2]", "json_malformed"),
        ('{"external_id": NaN}', "json_malformed"),
        ("[" * 5_000, "json_malformed"),
        ('{"external_id": ' + "9" * 5_000 + "}", "json_malformed"),
        ('{"external_id": "B", "external_id": "C"}', "key_repeated"),
        ('{"external_id": "B\\u0000"}', "control_character"),
        ('{"external_id": "\\ud800"}', "encoding"),
        (json.dumps(thing("B", mass={"value": 1})), "value_nested"),
    ],
)
def test_a_broken_line_costs_itself_alone(broken: str, code: str) -> None:
    read = rows.read_all(jsonl(thing("A")) + f"\n{broken}\n".encode() + jsonl(thing("C")), OWN)
    assert (landed(read), [(row, code) for row, _, code in refusals(read)]) == (["A", "C"], [(2, code)])
    assert len(sent_back(read).splitlines()) == 1


def test_however_deep_an_object_is_nested_it_costs_itself_alone() -> None:
    lines = [
        json.dumps(thing("A"))[:-1] + ', "deep": ' + "[" * depth + "]" * depth + "}"
        for depth in [*range(1, 1_100), 100_000]
    ]
    read = rows.read_all("\n".join(lines).encode(), OWN)
    codes = {problem.code for row in read.refused for problem in row.problems}
    assert (read.count, codes) == (1_100, {"duplicate_external_id", "json_malformed"})


def test_refused_objects_keep_their_very_characters() -> None:
    line = '{"external_id":"A","item_key":"k", "return_reason":"lost","condition_grade":"new","mass":1.50e0, "x":{"y":[1.10]}}'
    back = sent_back(rows.read_all(line.encode(), OWN)).decode()
    assert back.startswith('{"reason": "')
    assert back.endswith(line.removeprefix("{") + "\n")
    assert sent_back(rows.read_all(back.encode(), OWN)).decode() == back


@pytest.mark.parametrize("content", [b'[{"a": 1}]', b'{\n  "a": 1\n}'])
def test_other_json_says_what_is_wanted(content: bytes) -> None:
    assert unreadable(content) == "json"


# Encodings and nonsense


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_needs_no_mark(codec: str) -> None:
    content = manifest(motor("A", fault="Kühlgerät"), motor("B", mass="heavy")).decode().encode(codec)
    read = rows.read_all(content, OWN)
    assert (landed(read), read.file.encoding, read.rows[0].fault) == (["A"], codec, "Kühlgerät")
    assert sent_back(read).decode(codec).splitlines()[0] == f"reason,{HEADER}"


@pytest.mark.parametrize(
    ("encoding", "mark"),
    [("utf-8", b""), ("utf-8", codecs.BOM_UTF8), ("utf-16-le", codecs.BOM_UTF16_LE), ("cp1252", b"")],
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_refused_rows_go_back_in_their_encoding_and_delimiter(encoding: str, mark: bytes, delimiter: str) -> None:
    text = manifest(motor("A", fault="Gehäuse"), motor("B", mass="heavy", fault="größer 5 €")).decode()
    content = mark + text.replace(",", delimiter).encode(encoding)
    back = sent_back(rows.read_all(content, OWN))
    assert back.startswith(mark)
    head, refused = csv.reader(io.StringIO(back.removeprefix(mark).decode(encoding)), delimiter=delimiter)
    assert head == ["reason", *COLUMNS]
    assert refused[1:] == ["B", "motor", "end_of_life", "salvage", "heavy", "kg", "größer 5 €"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"a" * 10_000_000, "header"),
        (b"a," * 5_000_000, "too_many_columns"),
        (b'"' * 10_000_000, "header"),
        (b"\0" * 10_000, "encoding"),
        (bytes(range(256)) * 100, "encoding"),
        (b"PK\x03\x04", "workbook"),
        (b"", "empty"),
    ],
)
def test_nonsense_is_told_as_such(content: bytes, code: str) -> None:
    assert unreadable(content) == code


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", b"PK\x03\x04", b'{"', b"\xff\xfe", b"\xef\xbb\xbf"]))
def test_arbitrary_bytes_are_read_or_refused_and_nothing_else(content: bytes, head: bytes) -> None:
    try:
        found = list(opened(head + content).rows())
    except ManifestIsUnreadable:
        found = []
    assert [row.number for row in found] == list(range(1, len(found) + 1))


# Cells


@given(st.text(st.sampled_from("=+-@\t\r\x00 ,.0123456789ab'"), max_size=8))
def test_no_spreadsheet_runs_what_goes_back(cell: str) -> None:
    back = guarded(cell)
    bare = back.lstrip("".join(map(chr, range(32))))
    is_number = back.lstrip("+-").replace(".", "").replace(",", "").isdigit()
    assert bare[:1] not in ("=", "+", "-", "@") or is_number
    assert back.removeprefix("'") == cell.removeprefix("'")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (300, "300"),
        (300.0, "300"),
        (12.5, "12,5"),
        (0.1 + 0.2, "0,3"),
        (1e21, "1000000000000000000000"),
        (Decimal("1.50"), "1,5"),
    ],
)
def test_a_number_reads_as_a_spreadsheet_shows_it(value: Any, text: str) -> None:
    assert written_number(value, ",") == text
