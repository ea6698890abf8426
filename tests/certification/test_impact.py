import csv
import io
from dataclasses import replace
from decimal import Decimal

import pytest

from services.certification.impact import arithmetic, circularity, factors, rendering, statement, transport, units
from services.certification.impact.activities import Activity, Consumed, Disposed, Haulage, Recovered, Unreported
from tests.certification import standards

SET = factors.load()
STORY: list[Activity] = [
    Haulage("231 km by articulated lorry, goods and packaging", 18_140_000, 231_000, "hgv_artic_gt33t"),
    Recovered("steel", 9_620_000),
    Recovered("aluminium", 1_850_000),
    Recovered("copper", 2_310_000),
    Recovered("plastics", 1_130_000),
    Unreported("downstream outputs", "plants have not reported", 930_000),
    Unreported("residue", "final operation not reported", 1_350_000),
]


def story() -> statement.Statement:
    return statement.compute(STORY, SET, region="DE")


def test_the_story_incurs_398_kg_and_spares_steel_and_aluminium() -> None:
    amounts = {line.what: (line.kind, line.amount) for line in story().lines}

    assert amounts == {
        "231 km by articulated lorry, goods and packaging": ("incurred", Decimal("398.1661068")),
        "steel": ("avoided", Decimal("10004.8")),
        "aluminium": ("avoided", Decimal("15023.5233085")),
    }
    assert Decimal("398.17") == amounts["231 km by articulated lorry, goods and packaging"][1].quantize(Decimal("0.01"))


def test_the_story_prints_what_is_missing() -> None:
    assert [(entry.indicator, entry.what, entry.quantity) for entry in story().missing] == [
        ("gwp100", "copper", Decimal("2.31")),
        ("gwp100", "plastics", Decimal("1.13")),
        ("gwp100", "downstream outputs", Decimal("0.93")),
        ("gwp100", "residue", Decimal("1.35")),
        ("gwp100", "plant energy", None),
        ("energy", "energy", None),
        ("water", "water", None),
    ]


def test_incurred_and_avoided_stand_side_by_side_and_what_was_not_computed_is_none() -> None:
    assert [(t.indicator, t.incurred, t.avoided, t.is_complete) for t in story().totals] == [
        ("gwp100", Decimal("398.1661068"), Decimal("25028.3233085"), False),
        ("energy", None, None, False),
        ("water", None, None, False),
    ]


def test_the_story_declares_its_bases_and_proxies() -> None:
    assert story().gwp_basis == "avoided AR4, incurred AR5"
    assert story().proxies == (
        "GB factors for DE",
        "steel-can factors for steel",
        "can-and-foil factors for aluminium",
    )


@standards.needed
def test_the_story_agrees_with_the_published_statement() -> None:
    published = standards.read("examples/impact-statement.json")
    ours = rendering.as_document(story())

    assert [line["amount"] for line in ours["lines"]] == [line["amount"] for line in published["lines"]]
    assert ours["totals"] == published["totals"]
    assert (ours["boundary"], ours["gwp_basis"], ours["proxies"]) == tuple(
        published[name] for name in ("boundary", "gwp_basis", "proxies")
    )


def test_every_figure_carries_what_makes_it_checkable() -> None:
    told = [applied for line in story().lines for applied in line.factors]

    assert all(
        getattr(applied, name)
        for applied in told
        for name in ("source", "source_ref", "year", "region", "licence", "boundary", "gwp_basis", "unit")
    )
    assert story().factor_set_sha256 == SET.sha256


def test_a_statement_survives_its_document_and_recomputes() -> None:
    again = rendering.from_document(rendering.as_document(story()))

    assert again == story()
    assert statement.recompute(again, SET) == []


def test_recomputing_finds_a_changed_amount_value_total_and_set() -> None:
    told = story()
    first = told.lines[0]
    dearer = replace(first.factors[0], value=Decimal("0.095021"))
    wrong_amount = replace(told, lines=(replace(first, amount=Decimal("398.16611")), *told.lines[1:]))
    wrong_value = replace(told, lines=(replace(first, factors=(dearer,)), *told.lines[1:]))
    wrong_total = replace(told, totals=(replace(told.totals[0], avoided=Decimal(25_029)), *told.totals[1:]))
    other_set = replace(told, factor_set="epa-warm-16", factor_set_sha256="0" * 64)

    assert [d.pointer for d in statement.recompute(wrong_amount, SET)] == ["/lines/0/amount", "/totals/0/incurred"]
    assert [d.pointer for d in statement.recompute(wrong_value, SET)] == ["/lines/0/factors/0/value", "/lines/0/amount"]
    assert [d.pointer for d in statement.recompute(wrong_total, SET)] == ["/totals/0/avoided"]
    assert [d.pointer for d in statement.recompute(other_set, SET)] == ["/factor_set", "/factor_set_sha256"]


def test_plant_energy_that_is_reported_is_incurred_and_no_longer_missing() -> None:
    used = Consumed("electricity of the shredder", Decimal("1.8"), "MJ", "electricity_generation")

    told = statement.compute([*STORY, used], SET)

    assert told.lines[-1].amount == Decimal("0.5") * Decimal("0.177")
    assert "plant energy" not in [entry.what for entry in told.missing]


def test_a_substitution_ratio_below_one_spares_less() -> None:
    half = statement.compute([Recovered("steel", 1_000_000, Decimal("0.5"))], SET)

    assert half.totals[0].avoided == Decimal(520)


def test_disposal_is_incurred_by_mass_and_a_treatment_without_figure_is_missing() -> None:
    told = statement.compute(
        [Disposed("wood", 2_000_000, "landfill"), Disposed("wood", 1_000_000, "incineration_treatment")], SET
    )

    assert told.totals[0].incurred == 2 * Decimal("925.34348")
    assert "wood, incineration treatment" in [entry.what for entry in told.missing]


def test_one_missing_half_of_an_avoided_line_makes_the_line_missing() -> None:
    told = statement.compute([Recovered("lithium_batteries", 1_000_000)], SET)

    assert told.lines == ()
    assert told.missing[0].reason == "secondary production"


def test_secondary_production_that_costs_more_is_incurred() -> None:
    steel = SET.factors["desnz-2025/steel_cans/closed_loop_secondary_production/gwp100"]
    dearer = replace(SET, factors={**SET.factors, steel.id: replace(steel, value=Decimal("2863.91131"))})

    told = statement.compute([Recovered("steel", 1_000_000)], dearer)

    assert (told.lines[0].kind, told.lines[0].amount) == ("incurred", Decimal("0.01"))
    assert statement.recompute(told, dearer) == []


def test_a_leg_by_a_mode_without_figure_is_missing_with_its_activity() -> None:
    told = statement.compute([Haulage("barge to Duisburg", 1_000_000, 100_000, "barge_inland_waterway")], SET)

    assert (told.missing[0].quantity, told.missing[0].quantity_unit) == (Decimal(100), "tkm")
    assert told.totals[0].incurred is None


def test_the_shipped_set_has_the_published_figures() -> None:
    figures = [factor for factor in SET.factors.values() if factor.value is not None]
    modes = [factor for factor in figures if factor.subject == "transport"]

    assert len(modes) == 17
    assert SET.factors["desnz-2025/transport/hgv_artic_gt33t/gwp100"].value == Decimal("0.09502")
    assert {(factor.region, factor.year, factor.licence) for factor in figures} == {("GB", 2025, "OGL-3.0")}
    assert SET.attribution == "Contains public sector information licensed under the Open Government Licence v3.0"


@standards.needed
def test_every_shipped_figure_is_that_of_the_source() -> None:
    folder = "impact-factors/desnz-2025"
    materials, modes, utilities = (
        csv.DictReader(io.StringIO(standards.text(f"{folder}/{name}.csv")))
        for name in ("materials", "transport", "utilities")
    )
    published = {row["factor_id"]: row["value"] for row in [*materials, *utilities]}
    published |= {row["factor_id"]: row["wtw"] for row in modes}

    assert {id: "" if f.value is None else f.value for id, f in SET.factors.items()} == {
        id: published[id] and Decimal(published[id]) for id in SET.factors
    }


def test_a_damaged_set_and_a_figure_without_licence_are_refused() -> None:
    figure = SET.factors["desnz-2025/transport/hgv_artic_gt33t/gwp100"]
    described = {"id": "x", "sha256": "0" * 64}

    with pytest.raises(factors.FactorSetIsInvalid, match="SHA-256"):
        factors.read(described, b"factor_id\n")
    with pytest.raises(factors.FactorSetIsInvalid, match="licence"):
        replace(figure, licence="")
    with pytest.raises(factors.FactorSetIsInvalid, match="missing"):
        replace(figure, value=None)
    with pytest.raises(factors.FactorSetMissing):
        factors.load("desnz-2026")


def test_activity_and_emissions_come_from_grams_and_metres() -> None:
    assert transport.activity(18_140_000, 231_000) == Decimal("4190.34")
    assert transport.emissions(18_140_000, 231_000, Decimal("0.09502")) == Decimal("398.1661068")


def test_a_published_activity_ten_times_too_small_is_refused() -> None:
    assert transport.check(Decimal("4194.5"), 18_140_000, 231_000) == Decimal("4190.34")
    with pytest.raises(transport.ActivityDoesNotMatch):
        transport.check(Decimal("419.034"), 18_140_000, 231_000)
    with pytest.raises(transport.ActivityDoesNotMatch):
        transport.check(Decimal("4194.6"), 18_140_000, 231_000)


def test_a_shared_run_is_split_by_tonne_kilometres_to_the_last_gram() -> None:
    assert transport.split(100, [Decimal(1), Decimal(1), Decimal(1)]) == [34, 33, 33]
    assert sum(transport.split(398_166, [Decimal("12.7"), Decimal(3), Decimal("0.001")])) == 398_166
    with pytest.raises(ValueError, match="above zero"):
        transport.split(100, [Decimal(0)])


@pytest.mark.parametrize(
    ("value", "from_unit", "to_unit", "converted"),
    [
        ("1", "short_ton", "t", "0.90718474"),
        ("2", "lb", "g", "907.18474"),
        ("1", "MBtu", "MJ", "1055.05585262"),
        ("1", "kWh", "MJ", "3.6"),
        ("0.90718474", "MTCO2E/short_ton", "kgCO2e/t", "1000"),
        ("0.90718474", "MBtu/short_ton", "MJ/t", "1055.05585262"),
    ],
)
def test_units_convert_by_their_definitions(value: str, from_unit: str, to_unit: str, converted: str) -> None:
    assert units.convert(Decimal(value), from_unit, to_unit) == Decimal(converted)


@pytest.mark.parametrize(
    ("from_unit", "to_unit"), [("kg", "km"), ("kg", "stone"), ("kgCO2e/t", "kgCO2e/tkm"), ("t", "t/t")]
)
def test_units_of_other_dimensions_do_not_convert(from_unit: str, to_unit: str) -> None:
    with pytest.raises(units.UnitsDoNotConvert):
        units.convert(1, from_unit, to_unit)


def test_floats_never_enter_a_figure() -> None:
    with pytest.raises(TypeError):
        arithmetic.number(0.1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="finite"):
        arithmetic.number("NaN")


@pytest.mark.parametrize(
    ("named", "indicator"),
    [
        ({"M": 1}, "0.1"),
        ({"M": 1, "FU": 1, "CU": 1}, "1"),
        ({"M": 1, "FR": 1, "CR": 1}, "1"),
        ({"M": 1, "L": 2}, "0.55"),
        ({"M": 1, "U": "0.5"}, "0"),
        ({"M": 10, "FR": "0.5", "CR": "0.5"}, "0.55"),
        ({"M": 1, "FR": "0.5", "EF": "0.5", "CR": "0.5", "EC": "0.8"}, "0.4682"),
    ],
)
def test_circularity_follows_the_formula(named: dict[str, int | str], indicator: str) -> None:
    assert circularity.mci(**named).quantize(Decimal("0.0001")) == Decimal(indicator)


@pytest.mark.parametrize(
    "named",
    [{"M": 0}, {"M": 1, "FR": "1.1"}, {"M": 1, "FR": "0.6", "FU": "0.6"}, {"M": 1, "FR": 1, "EF": 0}, {"M": 1, "L": 0}],
)
def test_circularity_refuses_rates_that_cannot_be(named: dict[str, int | str]) -> None:
    with pytest.raises(ValueError):
        circularity.mci(**named)
