"""What a row means, what goes back to be mended, and which items the rows make."""

import csv
import io
from typing import Any

import pytest

from services.listings.manifests import mapping, records, rows
from services.listings.manifests.items import Count
from services.listings.manifests.mapping import MappingDoesNotFit
from services.listings.manifests.profiles import PROFILES
from tests.listings.manifest_files import HEADER, OWN, landed, manifest, motor, refusals, returned, sent_back

# Mappings


def test_a_column_spelled_exactly_wins_over_one_spelled_alike() -> None:
    content = b"External ID,external_id,item_key,return_reason,condition_grade\nours,theirs,k,damaged,damaged\n"
    assert landed(rows.read_all(content, OWN)) == ["theirs"]


def test_a_mapping_survives_its_document() -> None:
    ords = PROFILES["ords-0.3"]
    assert mapping.parse(mapping.document(ords)) == ords


def test_every_fault_of_a_mapping_is_pointed_at() -> None:
    fields: dict[str, object] = {
        "external_id": "Nr",
        "item_key": {"columns": []},
        "return_reason": {"constant": "bored"},
        "mass": None,
        "a/b": "x",
    }
    found = mapping.parse({"decimal": "'", "fields": fields})
    assert isinstance(found, list)
    assert {(problem.pointer, problem.code) for problem in found} == {
        ("/decimal", "decimal_unknown"),
        ("/fields/a~1b", "unknown"),
        ("/fields/item_key", "source_malformed"),
        ("/fields/return_reason", "return_reason_unknown"),
        ("/fields/condition_grade", "target_required"),
    }


@pytest.mark.parametrize(
    "joined", [{"columns": ["a"] * 21}, {"columns": ["a", "b"], "separator": "-" * 21}, {"columns": []}]
)
def test_what_is_joined_for_every_row_is_little(joined: dict[str, Any]) -> None:
    found = mapping.parse(mapping.document(OWN) | {"fields": mapping.document(OWN)["fields"] | {"item_key": joined}})
    assert isinstance(found, list)
    assert [(problem.pointer, problem.code) for problem in found] == [("/fields/item_key", "source_malformed")]


def test_a_missing_column_is_told_before_any_row_is_read() -> None:
    with pytest.raises(MappingDoesNotFit) as misfit:
        rows.read_all(b"id,problem\n1,x\n", PROFILES["ords-0.3"])
    assert {problem.code for problem in misfit.value.problems} == {"column_missing"}


# Rows


@pytest.mark.parametrize("wide", ["," * 1_000_000, '"",' * 1_000_000])
def test_a_line_of_nothing_but_delimiters_is_not_taken_apart(wide: str) -> None:
    [first, *_] = records.records(wide, ",")
    assert len(first.cells) <= records.MOST_CELLS + 1


def test_all_problems_of_a_row_are_told_at_once() -> None:
    read = rows.read_all(manifest("A,,sold,mint,heavy,kg,"), OWN)
    assert {pointer for _, pointer, _ in refusals(read)} == {"/item_key", "/return_reason", "/condition_grade", "/mass"}


def test_a_full_row_is_read_to_the_last_cell() -> None:
    header = ",".join(mapping.TARGETS)
    line = (
        "M-1,motor,Electric motor,1,SN-9,End of life,hums,Used-Fair,16 02 14,un 3480,0.3,t,,"
        "steel 60%; copper 38.5%,yes,Acme,X1,1998,4006381333931,WPL-7,L26"
    )
    (row,) = rows.read_all(f"{header}\n{line}\n".encode(), OWN).rows
    assert row == rows.ManifestRow(
        number=1,
        external_id="M-1",
        item_key="motor",
        description="Electric motor",
        quantity=1,
        serial="SN-9",
        return_reason="end_of_life",
        fault="hums",
        condition_grade="used_fair",
        waste_code="160214",
        un_number="UN3480",
        mass_g=300_000,
        composition=(("steel", 600_000), ("copper", 385_000), ("unknown", 15_000)),
        data_bearing=True,
        brand="Acme",
        model="X1",
        year=1998,
        gtin="4006381333931",
        mpn="WPL-7",
        batch="L26",
    )


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("quantity", "0", "quantity_malformed"),
        ("quantity", "²", "quantity_malformed"),
        ("quantity", "1.5", "quantity_malformed"),
        ("mass", "12", "mass_unit_missing"),
        ("mass", "12 stone", "mass_unit_unknown"),
        ("mass", "-1 kg", "number_malformed"),
        ("mass", "1e3 kg", "mass_malformed"),
        ("mass", "0 kg", "mass_out_of_range"),
        ("mass", "2000000 t", "mass_out_of_range"),
        ("composition", "steel 60%; steel 40%", "composition_malformed"),
        ("composition", "steel 60%; copper 41%", "composition_malformed"),
        ("composition", "mostly steel", "composition_malformed"),
        ("composition", "PA660%", "composition_malformed"),
        ("composition", "steel = = 5", "composition_malformed"),
        ("data_bearing", "maybe", "unknown_value"),
        ("un_number", "UN 34", "un_number_malformed"),
        ("waste_code", "<script>", "waste_code_malformed"),
        ("year", "98", "year_malformed"),
        ("gtin", "4006381333932", "gtin_malformed"),
        ("gtin", "12345", "gtin_malformed"),
        ("brand", "B" * 201, "too_long"),
        ("fault", "f" * 2001, "too_long"),
        ("fault", "f" * 10_001, "cell_too_long"),
        ("fault", "bell\x07", "control_character"),
        ("brand", '"two\nlines"', "control_character"),
    ],
)
def test_a_cell_that_means_nothing_refuses_its_row(column: str, cell: str, code: str) -> None:
    content = f"external_id|item_key|return_reason|condition_grade|{column}\nA|k|damaged|damaged|{cell}\n".encode()
    assert [found for _, _, found in refusals(rows.read_all(content, OWN))] == [code]


@pytest.mark.parametrize(
    ("cell", "shares"),
    [
        ("Steel 60%; Copper  wire: 40 %", (("steel", 600_000), ("copper wire", 400_000))),
        ("60% steel, 40% copper", (("steel", 600_000), ("copper", 400_000))),
        ("PA6 99.5 %", (("pa6", 995_000), ("unknown", 5_000))),
        ("unknown", (("unknown", 1_000_000),)),
    ],
)
def test_a_composition_always_sums_to_the_whole(cell: str, shares: tuple[tuple[str, int], ...]) -> None:
    content = f"external_id|item_key|return_reason|condition_grade|composition\nA|k|damaged|damaged|{cell}\n".encode()
    assert rows.read_all(content, OWN).rows[0].composition == shares


def test_a_mass_with_two_units_is_refused() -> None:
    read = rows.read_all(manifest(motor("A", mass="300 kg"), motor("B", mass="300 lb")), OWN)
    assert refusals(read) == [(2, "/mass", "mass_unit_disagrees")]


def test_a_serial_number_stands_for_one_piece() -> None:
    content = b"external_id,item_key,return_reason,condition_grade,unit_serial,quantity\nA,k,damaged,damaged,S1,2\n"
    assert refusals(rows.read_all(content, OWN)) == [(1, "/quantity", "serial_is_one")]


def test_the_second_row_of_an_external_id_is_told_where_the_first_stands() -> None:
    read = rows.read_all(manifest(motor("A"), motor("B"), motor("A")), OWN)
    assert refusals(read) == [(3, "/external_id", "duplicate_external_id")]
    assert "row 1" in read.refused[0].problems[0].detail


def test_a_refused_row_does_not_block_its_external_id() -> None:
    read = rows.read_all(manifest(motor("A", mass="heavy"), motor("A")), OWN)
    assert [row.number for row in read.rows] == [2]


@pytest.mark.parametrize(
    ("status", "reason", "grade"),
    [
        ("Fixed", "defective", "used_fair"),
        ("Repairable", "defective", "damaged"),
        ("End of life", "end_of_life", "salvage"),
        ("Unknown", "defective", "salvage"),
    ],
)
def test_a_repair_status_becomes_a_reason_and_a_grade(status: str, reason: str, grade: str) -> None:
    content = (
        f"id,product_category,brand,year_of_manufacture,repair_status,problem\nx_1,Lamp,Unknown,,{status},\n".encode()
    )
    (row,) = rows.read_all(content, PROFILES["ords-0.3"]).rows
    assert (row.return_reason, row.condition_grade, row.brand, row.mass_g) == (reason, grade, None, None)


# The failed rows as a file


def test_failed_rows_go_back_with_their_reason_and_delimiter() -> None:
    read = rows.read_all(manifest(motor("A"), motor("B", mass="heavy")).replace(b",", b";"), OWN)
    (back,) = returned(read)
    assert (back["external_id"], back["mass"]) == ("B", "heavy")
    assert back["reason"].startswith("mass mass_malformed:")


@pytest.mark.parametrize("formula", ["=cmd|'/c calc'!A0", "+1+1", "-2-3", "@SUM(A1)", "\t=1", "\r=1", "＝1"])
def test_a_formula_is_never_written_back(formula: str) -> None:
    written = io.StringIO(newline="")
    csv.writer(written).writerows([HEADER.split(","), ["B", "motor", "sold", "salvage", "1", "kg", formula]])
    (back,) = returned(rows.read_all(written.getvalue().encode(), OWN))
    assert back["fault"] == "'" + formula


def test_a_formula_in_the_header_is_never_written_back() -> None:
    read = rows.read_all(manifest("A").replace(b"fault", b"=fault"), OWN)
    assert "'=fault" in returned(read)[0]


def test_mended_rows_land_with_the_very_ids_they_had() -> None:
    refused = sent_back(rows.read_all(manifest(motor("-17", mass="heavy")), OWN))
    again = rows.read_all(refused.replace(b"heavy", b"300"), OWN)
    assert (landed(again), again.refused) == (["-17"], [])


def test_the_reason_of_an_earlier_round_is_replaced() -> None:
    first = sent_back(rows.read_all(manifest(motor("A", mass="heavy")), OWN))
    second = sent_back(rows.read_all(first, OWN))
    assert second == first


@pytest.mark.parametrize("number", ["-2", "+3,5", "-1.234,50"])
def test_a_number_goes_back_as_it_came(number: str) -> None:
    sent = (
        manifest(motor("A", mass="heavy", fault="<number>")).replace(b",", b";").replace(b"<number>", number.encode())
    )
    (back,) = returned(rows.read_all(sent, OWN))
    assert back["fault"] == number


# Items


def counted(*sent: dict[str, Any]) -> Count:
    count = Count()
    for row in sent:
        count.add(**({"quantity": 1, "mass_g": None, "condition_grade": "new", "return_reason": "damaged"} | row))
    return count


def test_the_lowest_grade_present_is_the_items() -> None:
    assert counted({}, {"condition_grade": "salvage"}, {"condition_grade": "used_good"}).grade == "salvage"


def test_one_unweighed_row_leaves_the_item_unweighed() -> None:
    assert counted({"mass_g": 300}, {"mass_g": 200}).mass_g == 500
    assert counted({"mass_g": 300}, {}).mass_g is None


def test_what_all_rows_say_alike_is_said_of_the_item() -> None:
    said = counted({"said": [("gtin", "1"), ("batch", "A")]}, {"said": [("gtin", "1"), ("batch", "B"), ("mpn", None)]})
    assert (said.agreed("gtin"), said.agreed("batch"), said.agreed("mpn")) == ("1", None, None)


def test_a_row_that_goes_back_for_another_reason_than_its_item_is_refused() -> None:
    lines = [motor("A"), motor("B"), motor("C", reason="damaged"), motor("D", item="pump")]
    read = rows.read_all(manifest(*lines), OWN)
    assert refusals(read) == [(3, "/return_reason", "item_disagrees")]
    assert "since row 1," in read.refused[0].problems[0].detail
