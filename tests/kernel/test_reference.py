import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.kernel.reference import hazard_properties, lists, materials, operations, un_numbers, waste_codes
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing

CODES = Path(__file__).parents[3] / "shared" / "data" / "standards" / "codes"
BEFORE, AFTER = date(2026, 11, 8), date(2026, 11, 9)

lists_needed = pytest.mark.skipif(not CODES.is_dir(), reason="reference data (../shared/data/standards) is not at hand")


def reason(code: str, jurisdiction: str, on: date) -> str:
    with pytest.raises(CodeIsNotValid) as refused:
        waste_codes.find(code, jurisdiction=jurisdiction, on=on)
    return refused.value.reason


@pytest.mark.parametrize("written", ["16 06 07*", "160607*", "160607", "16 06 07", " 160607 "])
def test_a_code_is_found_however_it_is_written(written: str) -> None:
    found = waste_codes.find(written, jurisdiction="EU", on=AFTER)

    assert (found.code, str(found), found.is_hazardous) == ("160607", "16 06 07*", True)
    assert "2025/934" in found.source


@pytest.mark.parametrize(
    ("code", "jurisdiction", "on", "expected"),
    [
        ("160607", "EU", BEFORE, "not_yet_valid"),
        ("160607", "GB", AFTER, "not_listed"),
        ("190211", "EU", AFTER, "no_longer_valid"),
        ("200133", "EU", AFTER, "no_longer_valid"),
        ("200134", "EU", AFTER, "no_longer_valid"),
        ("160605", "EU", AFTER, "code_unconfirmed"),
        ("160604*", "GB", AFTER, "hazard_mark"),
        ("16-06-07", "EU", AFTER, "malformed"),
        ("1606", "EU", AFTER, "malformed"),
        ("١٦٠٦٠٧", "EU", AFTER, "malformed"),
    ],
)
def test_a_code_holds_by_jurisdiction_and_date(code: str, jurisdiction: str, on: date, expected: str) -> None:
    assert reason(code, jurisdiction, on) == expected


@pytest.mark.parametrize("code", ["190211", "200133", "200134", "160605"])
def test_what_ends_in_the_eu_stays_in_great_britain(code: str) -> None:
    assert waste_codes.find(code, jurisdiction="EU", on=BEFORE).code == code
    assert waste_codes.find(code, jurisdiction="GB", on=AFTER).code == code


def test_alkaline_batteries_become_hazardous_in_the_eu_alone() -> None:
    assert not waste_codes.find("160604", jurisdiction="EU", on=BEFORE).is_hazardous
    assert waste_codes.find("160604", jurisdiction="EU", on=AFTER).is_hazardous
    assert not waste_codes.find("160604", jurisdiction="GB", on=AFTER).is_hazardous


def test_the_codes_of_the_story_hold_when_it_happens() -> None:
    on = date(2027, 1, 11)

    assert [waste_codes.find(c, jurisdiction="EU", on=on).printed for c in ("160214", "160216", "160607")] == [
        "16 02 14",
        "16 02 16",
        "16 06 07*",
    ]


@pytest.mark.parametrize(
    ("code", "jurisdiction"), [("010101", "EU"), ("999999", "EU"), ("160607", "US"), ("160607", "DE")]
)
def test_what_the_tables_do_not_have_is_missing_and_not_guessed(code: str, jurisdiction: str) -> None:
    with pytest.raises(ReferenceDataMissing):
        waste_codes.find(code, jurisdiction=jurisdiction, on=AFTER)


def test_a_country_has_the_list_of_its_jurisdiction() -> None:
    assert len(waste_codes.EU_MEMBERS) == 27
    assert (waste_codes.jurisdiction_of("DE"), waste_codes.jurisdiction_of("GB")) == ("EU", "GB")
    with pytest.raises(ReferenceDataMissing):
        waste_codes.jurisdiction_of("CH")


def test_no_code_holds_twice_on_a_day() -> None:
    for jurisdiction in waste_codes.JURISDICTIONS:
        for on in (BEFORE, AFTER):
            held = [entry.code for entry in waste_codes.valid(jurisdiction=jurisdiction, on=on)]
            assert len(held) == len(set(held)) > 150


@lists_needed
def test_the_shipped_waste_codes_agree_with_the_lists() -> None:
    old = {row["code"]: row["hazardous"] for row in json.loads((CODES / "list_of_waste.json").read_text())["codes"]}
    change = json.loads((CODES / "list_of_waste_eu_2025_934.json").read_text())
    new = {entry["code"]: entry["hazardous"] for entry in change["entries"]}
    until_then = waste_codes.valid(jurisdiction="EU", on=BEFORE)
    in_britain = waste_codes.valid(jurisdiction="GB", on=AFTER)
    from_then = {entry.code: entry.is_hazardous for entry in waste_codes.valid(jurisdiction="EU", on=AFTER)}

    assert all(old[entry.code] == entry.is_hazardous for entry in [*until_then, *in_britain])
    assert new.items() <= from_then.items()
    assert not from_then.keys() & {entry["code"] for entry in change["withdrawn"]}


@lists_needed
def test_no_title_is_a_sentence_of_the_lists() -> None:
    rows = json.loads((CODES / "list_of_waste.json").read_text())["codes"]
    rows += json.loads((CODES / "list_of_waste_eu_2025_934.json").read_text())["entries"]
    sentences = {row["description"].lower() for row in rows}
    titles = {row["title"].lower() for row in lists.read("waste_codes").rows}

    assert not {title for title in titles & sentences if len(title.split()) > 3}


def test_pending_operations_are_not_final_and_energy_is_not_recycling() -> None:
    kinds = {operation.code: operation.counts_as for operation in operations.every()}

    assert len(kinds) == 28
    assert {code for code, kind in kinds.items() if kind == "interim"} == {"R12", "R13", "D13", "D14", "D15"}
    assert {code for code, kind in kinds.items() if kind == "recycling"} == {f"R{number}" for number in range(2, 12)}
    assert kinds["R1"] == "recovery"
    assert {o.code for o in operations.every() if not o.is_final} == {"R12", "R13", "D13", "D14", "D15"}


@pytest.mark.parametrize("written", ["UN 3480", "UN3480", "3480", "un 3480"])
def test_a_un_number_is_found_however_it_is_written(written: str) -> None:
    found = un_numbers.find(written)

    assert (found.printed, found.hazard_class, found.packing_groups, found.is_battery) == ("UN 3480", "9", (), True)


@pytest.mark.parametrize(
    ("find", "code"),
    [
        (un_numbers.find, "UN 3551"),
        (un_numbers.find, "34800"),
        (operations.find, "R14"),
        (hazard_properties.find, "HP16"),
        (materials.find, "unobtainium"),
    ],
)
def test_other_codes_that_are_not_there_are_missing(find: Callable[[str], Any], code: str) -> None:
    with pytest.raises(ReferenceDataMissing):
        find(code)


def test_hazard_properties_and_materials_are_read_leniently() -> None:
    assert hazard_properties.find("HP_14").code == hazard_properties.find("hp 14").code == "HP14"
    assert len(hazard_properties.every()) == 15
    assert materials.find("Black mass").code == "black_mass"


def test_every_list_names_version_source_and_hash() -> None:
    for name in ("waste_codes", "operations", "hazard_properties", "un_numbers", "materials"):
        told = lists.read(name)
        assert told.version
        assert told.source
        assert len(told.sha256) == 64
        assert told.rows
