"""A mapping is proposed from the header and the first rows."""

import json

import pytest

from services.listings.manifests import mapping, rows
from services.listings.manifests.mapping import Column, Constant, Joined
from services.listings.manifests.proposing import propose
from tests.listings.manifest_files import manifest, motor

GERMAN = (
    "Inventarnummer;Artikelnummer;Bezeichnung;Menge;Gewicht (kg);Rückgabegrund;Zustand;EAN;Seriennummer;Farbe\n"
    "1;A-7;Kessel;1;12,5;defekt;gebraucht;4006381333931;S1;rot\n"
    "2;A-7;Kessel;1;12,5;Defekt;Schrott;4006381333931;S2;rot\n"
)


def test_a_german_header_is_understood() -> None:
    found = propose(GERMAN.encode("cp1252"))
    assert (found.file.encoding, found.file.delimiter, found.mapping.decimal) == ("cp1252", ";", ",")
    assert found.missing == ()
    assert {one.column: one.target for one in found.columns} == {
        "Inventarnummer": "external_id",
        "Artikelnummer": "item_key",
        "Bezeichnung": "description",
        "Menge": "quantity",
        "Gewicht (kg)": "mass",
        "Rückgabegrund": "return_reason",
        "Zustand": "condition_grade",
        "EAN": "gtin",
        "Seriennummer": "unit_serial",
        "Farbe": None,
    }
    assert found.mapping.fields["mass_unit"] == Constant("kg")


def test_what_is_proposed_reads_the_file() -> None:
    read = rows.read_all(GERMAN.encode(), propose(GERMAN.encode()).mapping)
    assert [(row.external_id, row.mass_g, row.return_reason, row.condition_grade) for row in read.rows] == [
        ("1", 12_500, "defective", "used_fair"),
        ("2", 12_500, "defective", "salvage"),
    ]


def test_a_proposal_survives_its_document() -> None:
    proposed = propose(GERMAN.encode()).mapping
    assert mapping.parse(json.loads(json.dumps(mapping.document(proposed)))) == proposed


def test_our_own_names_are_proposed_whatever_their_spelling() -> None:
    found = propose(b"External ID,item-key,Mass_kg,colour\n1,k,2,red\n")
    assert found.mapping.fields == {
        "external_id": Column("External ID"),
        "item_key": Column("item-key"),
        "mass": Column("Mass_kg"),
        "mass_unit": Constant("kg"),
    }
    assert found.missing == ("return_reason", "condition_grade")


def test_our_own_file_is_surely_ours() -> None:
    found = propose(manifest(motor("A"), motor("B")))
    assert [one.confidence for one in found.columns] == [1.0] * 7


def test_the_open_repair_data_standard_is_recognised() -> None:
    header = "id,data_provider,product_category,brand,year_of_manufacture,repair_status,problem"
    found = propose(f"{header}\nx_1,P,Lamp,Unknown,1998,Fixed,dark\n".encode())
    assert (found.profile, found.missing) == ("ords-0.3", ())


def test_cells_that_contradict_a_name_cost_confidence() -> None:
    header = "external_id,item_key,return_reason,condition_grade,quantity\n"
    sure = propose(f"{header}1,k,damaged,new,3\n".encode()).columns[4]
    unsure = propose(f"{header}1,k,damaged,new,many\n".encode()).columns[4]
    assert (sure.confidence, unsure.confidence) == (1.0, 0.4)


def test_a_column_without_a_telling_name_is_known_by_its_cells() -> None:
    cells = "\n".join(f"{number},4006381333931,x" for number in range(5))
    found = propose(f"id,Spalte7,Spalte8\n{cells}\n".encode())
    assert {one.column: one.target for one in found.columns} == {
        "id": "external_id",
        "Spalte7": "gtin",
        "Spalte8": None,
    }


def test_without_an_article_number_alike_things_are_one_item() -> None:
    found = propose(b"Nr,Modell,Grund,Zustand\n1,WPL-7,defekt,neu\n")
    assert found.mapping.fields["item_key"] == Joined(("Modell", "Grund", "Zustand"))


def test_values_that_nobody_knows_are_named() -> None:
    found = propose(b"Nr,Artikel,Grund,Zustand\n1,K,defekt,neu\n2,K,Wetter,neu\n")
    assert found.unknown_values == {"return_reason": ("Wetter",)}


@pytest.mark.parametrize("header", ["Nr,Nr,Artikel", "a,b,c", ""])
def test_what_is_ambiguous_is_nobodys(header: str) -> None:
    assert "external_id" not in propose(f"{header} \n1,2,3\n".encode()).mapping.fields
