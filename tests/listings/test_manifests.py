"""A manifest lands row by row; what does not land goes back, and no row is ever lost."""

import codecs
import csv
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.listings.manifests import encodings, reading, rows
from services.listings.manifests.mapping import Column, Constant, Mapping, MappingDoesNotFit
from services.listings.manifests.profiles import PROFILES
from services.listings.manifests.raw import ManifestIsUnreadable
from tests.listings.manifest_files import OWN, landed, manifest, motor, refusals, sent_back

GERMAN = replace(OWN, decimal=",")
TORONTO = Path(__file__).parents[2] / "../shared/data/returns/repair-cafe-toronto-2025-07.csv"

# The file nobody here wrote


@pytest.fixture(scope="module")
def toronto() -> bytes:
    if not TORONTO.exists():
        pytest.skip("../shared/data/returns is not beside the repository")
    return TORONTO.read_bytes()


def test_every_row_of_the_toronto_file_lands(toronto: bytes) -> None:
    read = rows.read_all(toronto, PROFILES["ords-0.3"])
    assert (len(read.rows), read.refused) == (5567, [])
    assert len(set(landed(read))) == 5567


# Five thousand rows, a hundred of them broken

BREAKAGES: list[tuple[str, Callable[[int], str]]] = [
    ("ragged", lambda place: f"B{place},motor,end_of_life"),
    ("ragged", lambda place: motor(f"B{place}") + ",one,too,many"),
    ("quotes", lambda place: f'B{place},"motor,end_of_life,salvage,1,kg,'),
    ("quotes", lambda place: f'B{place},"mo"tor,end_of_life,salvage,1,kg,'),
    ("control_character", lambda place: motor(f"B{place}", fault="nul\0")),
    ("required", lambda place: motor("")),
    ("unknown_value", lambda place: motor(f"B{place}", reason="fell_off_a_truck")),
    ("number_malformed", lambda place: motor(f"B{place}", mass="1.2.3")),
    ("duplicate_external_id", lambda place: motor("G0")),
    ("item_disagrees", lambda place: motor(f"B{place}", reason="defective")),
]


def test_a_hundred_broken_rows_cost_no_good_one() -> None:
    good = [motor(f"G{place}") for place in range(4900)]
    lines = list(good)
    for place in range(100):
        lines.insert(1 + place * 49, BREAKAGES[place % 10][1](place))
    read = rows.read_all(manifest(*lines), OWN)
    assert sorted(landed(read)) == sorted(f"G{place}" for place in range(4900))
    assert sorted(code for _, _, code in refusals(read)) == sorted(code for code, _ in BREAKAGES * 10)


def test_row_numbers_and_lines_point_at_the_row() -> None:
    read = rows.read_all(manifest(motor("A", fault='"two\nlines"'), "", motor("B", mass="x kg")), OWN)
    (refused,) = read.refused
    assert (refused.row_number, refused.line) == (2, 5)


# Encodings


def test_broken_bytes_in_utf8_cost_their_own_row() -> None:
    content = (
        manifest(motor("A", fault="Kühlgerät")) + b"B,motor,end_of_life,salvage,1,kg,K\xfchl\n" + motor("C").encode()
    )
    read = rows.read_all(content, OWN)
    assert landed(read) == ["A", "C"]
    assert refusals(read) == [(2, "", "encoding")]
    assert read.file.notes == ("1 lines hold bytes that are not UTF-8",)


def test_a_row_returned_for_its_encoding_does_not_land_unmended() -> None:
    content = manifest(motor("A", fault="Kühlgerät")) + b"B,motor,end_of_life,salvage,1,kg,K\xfchl\n"
    again = rows.read_all(sent_back(rows.read_all(content, OWN)), OWN)
    assert refusals(again) == [(1, "", "encoding")]


def test_a_windows_file_is_read_and_the_decision_told() -> None:
    read = rows.read_all(
        manifest(motor("A", fault="Gehäuse größer, 5 €".replace(",", ""))).decode().encode("cp1252"), OWN
    )
    assert read.rows[0].fault == "Gehäuse größer 5 €"
    assert (read.file.encoding, read.file.notes) == ("cp1252", ("the file is not UTF-8 and was taken for cp1252",))


def test_a_file_glued_from_two_encodings_loses_neither() -> None:
    german = [motor(f"W{place}", fault="Gehäuse") for place in range(3)]
    read = rows.read_all(manifest(*german).decode().encode("cp1252") + motor("U", fault="Gehäuse").encode(), OWN)
    assert [row.fault for row in read.rows] == ["Gehäuse"] * 4


def test_fill_bytes_in_an_ascii_file_are_not_taken_for_letters() -> None:
    read = rows.read_all(manifest(motor("A")) + b"B,motor,end_of_life,salvage,1,kg,\xff\xfe\n", OWN)
    assert (landed(read), refusals(read)) == (["A"], [(2, "", "encoding")])


def test_another_script_is_recognised() -> None:
    fault = "стиральная машина не работает повреждён корпус"
    read = rows.read_all(manifest(motor("A", fault=fault)).decode().encode("cp1251"), OWN)
    assert (read.rows[0].fault, read.file.encoding) == (fault, "cp1251")


@pytest.mark.parametrize(
    ("mark", "codec", "name"),
    [
        (codecs.BOM_UTF8, "utf-8", "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le", "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be", "utf-16-be"),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_first_column(mark: bytes, codec: str, name: str) -> None:
    read = rows.read_all(mark + manifest(motor("A", fault="Kühlgerät"), "B").decode().encode(codec), OWN)
    assert (landed(read), read.file.encoding) == (["A"], name)
    assert sent_back(read).startswith(mark)


@pytest.mark.parametrize("content", [bytes(range(256)) * 9, b"%PDF-1.7 ...", b"\xd0\xcf\x11\xe0" + bytes(500)])
def test_a_binary_file_is_unreadable(content: bytes) -> None:
    with pytest.raises(ManifestIsUnreadable) as unreadable:
        rows.read_all(content, OWN)
    assert unreadable.value.code == "encoding"


# Shapes of files


@pytest.mark.parametrize("content", [b"", b"\n\n", codecs.BOM_UTF8, b" , ,\n"])
def test_a_file_without_a_header_is_unreadable(content: bytes) -> None:
    with pytest.raises(ManifestIsUnreadable) as unreadable:
        rows.read_all(content, OWN)
    assert unreadable.value.code == "empty"


def test_a_header_alone_is_an_empty_manifest() -> None:
    read = rows.read_all(manifest(), OWN)
    assert (read.rows, read.refused, len(read.file.header)) == ([], [], 7)


def test_semicolons_and_decimal_commas_are_read_as_a_german_office_writes_them() -> None:
    content = manifest(motor("A", mass="12|4"), motor("B", mass="1 234|5")).replace(b",", b";").replace(b"|", b",")
    read = rows.read_all(content, GERMAN)
    assert (read.file.delimiter, [row.mass_g for row in read.rows]) == (";", [12_400, 1_234_500])


def test_the_other_decimal_mark_is_refused_rather_than_guessed() -> None:
    read = rows.read_all(manifest(motor("A", mass="12.400")), GERMAN)
    assert refusals(read) == [(1, "/mass", "number_malformed")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    read = rows.read_all(manifest(motor("A"), motor("B")).replace(b",", delimiter.encode()), OWN)
    assert (read.file.delimiter, landed(read)) == (delimiter, ["A", "B"])


def test_a_spreadsheets_own_delimiter_line_is_no_header() -> None:
    read = rows.read_all(b"sep=;\r\n" + manifest(motor("A")).replace(b",", b";"), OWN)
    assert landed(read) == ["A"]


def test_quotes_hold_delimiters_newlines_and_quotes() -> None:
    read = rows.read_all(
        manifest(motor("A", fault='"leaks, ""badly""\r\nsince May"'), motor("B", fault='5" disk')), OWN
    )
    assert [row.fault for row in read.rows] == ['leaks, "badly"\r\nsince May', '5" disk']


def test_a_quote_never_closed_does_not_swallow_the_rows_after_it() -> None:
    read = rows.read_all(manifest('A,"motor,end_of_life,salvage,1,kg,', motor("B"), motor("C", fault='"x"')), OWN)
    assert (landed(read), refusals(read)) == (["B", "C"], [(1, "", "quotes")])


def test_a_quote_never_closed_before_the_end_of_the_file_costs_one_row() -> None:
    read = rows.read_all(manifest(motor("A"), 'B,motor,end_of_life,salvage,1,kg,"leaks', motor("C")), OWN)
    assert (landed(read), refusals(read)) == (["A", "C"], [(2, "", "quotes")])


def test_repeated_and_empty_headers_keep_their_cells_apart() -> None:
    (row,) = reading.rows("a,a,,a (2)\n1,2,3,4\n")
    assert row.cells == {"a": "1", "a (3)": "2", "column 3": "3", "a (2)": "4"}


def test_a_column_the_mapping_needs_twice_is_ambiguous() -> None:
    with pytest.raises(MappingDoesNotFit) as misfit:
        rows.read_all(manifest().replace(b"fault", b"mass"), OWN)
    assert [(problem.pointer, problem.code) for problem in misfit.value.problems] == [
        ("/fields/mass", "column_ambiguous")
    ]


def test_too_many_rows_are_refused_as_a_file() -> None:
    with pytest.raises(ManifestIsUnreadable) as unreadable:
        list(reading.rows("a\n" + "1\n" * 100_001))
    assert unreadable.value.code == "too_many_rows"


# No row is ever lost

BY_ID = Mapping(
    {
        "external_id": Column("id"),
        "item_key": Constant("k"),
        "return_reason": Constant("damaged"),
        "condition_grade": Constant("damaged"),
    }
)
CELLS = st.text(st.sampled_from("ab1,;\"\n\r\t |'=é\0\ufffd\x85\u2028 "), max_size=12) | st.text(max_size=6)


@settings(max_examples=150, deadline=None)
@given(st.lists(CELLS, max_size=12))
def test_every_row_of_arbitrary_text_is_accounted_for_once(pieces: list[str]) -> None:
    good = [f"g{place},nothing is wrong with this one" for place in range(150)]
    content = "\n".join(["id,note", *good[:75], *pieces, *good[75:]]).encode("utf-8", "surrogatepass")
    read = rows.read_all(content, BY_ID)
    numbers = sorted([row.number for row in read.rows] + [row.row_number for row in read.refused])
    assert numbers == [row.number for row in reading.rows(encodings.decode(content).text)]
    assert numbers == list(range(1, len(numbers) + 1))
    assert all(row.problems for row in read.refused)
    assert {f"g{place}" for place in range(75)} <= set(landed(read))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.text(max_size=8), min_size=2, max_size=3), max_size=8), st.sampled_from(",;\t|"))
def test_what_a_csv_writer_wrote_is_read_cell_by_cell(written: list[list[str]], delimiter: str) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["id", "note", "more"], *written])
    found = [row.raw for row in reading.rows(out.getvalue())]
    assert found == [cells for cells in written if any(cell.strip() for cell in cells)]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_at_the_end_cost_no_good_row(tail: bytes) -> None:
    good = b"".join(b"g%d,nothing is wrong with this one\n" % place for place in range(150))
    read = rows.read_all(b"id,note\n" + good + tail, BY_ID)
    assert {f"g{place}" for place in range(150)} <= set(landed(read))
