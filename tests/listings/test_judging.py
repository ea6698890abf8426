"""Whatever a manifest says of whatever stands: each row is judged once, and what stands afterwards agrees."""

from collections import defaultdict
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from services.kernel.ids import ListingId
from services.listings.importing.judging import AGREED, Agreed, Place, Standing, Verdict, judge, settle
from services.listings.manifests.rows import ManifestRow

TARGET = ListingId.new()
ROW = ManifestRow(
    number=0,
    external_id="",
    item_key="",
    description="Motor",
    quantity=1,
    serial=None,
    return_reason="damaged",
    fault=None,
    condition_grade="new",
    waste_code=None,
    un_number=None,
    mass_g=None,
    composition=None,
    data_bearing=None,
    brand=None,
    model=None,
    year=None,
)
KEYS, REASONS, CODES = ["a", "b", "c"], ["damaged", "defective"], [None, "160214", "160607"]
SAID = st.tuples(st.sampled_from(KEYS), st.sampled_from(REASONS), st.sampled_from(CODES))
FILE = st.dictionaries(st.integers(0, 7), SAID, max_size=8)


def row(external_id: int, said: tuple[str, str, str | None], number: int = 0) -> ManifestRow:
    key, reason, code = said
    return replace(
        ROW, number=number, external_id=str(external_id), item_key=key, return_reason=reason, waste_code=code
    )


def agrees(rows: list[ManifestRow]) -> bool:
    return all(len({getattr(one, name) for one in rows} - {None}) <= 1 for name in AGREED)


def standing_rows(stored: dict[int, tuple[str, str, str | None]]) -> dict[str, Standing]:
    """What is stored agrees item by item, as it must: of rows that do not, the first stands."""
    found: dict[str, Standing] = {}
    by_key: defaultdict[str, list[ManifestRow]] = defaultdict(list)
    for external_id, said in stored.items():
        one = row(external_id, said)
        if agrees([*by_key[one.item_key], one]):
            by_key[one.item_key].append(one)
            found[one.external_id] = Standing(one, Place(TARGET, one.item_key), "draft")
    return found


def agreed_by(standing: dict[str, Standing], leaving: set[str]) -> dict[Place, Agreed]:
    found: defaultdict[Place, Agreed] = defaultdict(dict)
    for external_id, one in sorted(standing.items()):
        for name in AGREED:
            said = getattr(one.row, name)
            if external_id not in leaving and said is not None:
                found[one.place].setdefault(name, (said, external_id))
    return found


def judged(sent: list[ManifestRow], standing: dict[str, Standing], portion: int) -> Verdict:
    verdict = Verdict()
    for start in range(0, len(sent), portion):
        judge(sent[start : start + portion], standing, TARGET, verdict)
    settle(verdict, agreed_by(standing, verdict.leaving()), set())
    return verdict


@settings(max_examples=400, deadline=None)
@given(FILE, FILE, st.integers(1, 9))
def test_what_stands_after_a_manifest_agrees_item_by_item(
    stored: dict[int, tuple[str, str, str | None]], file: dict[int, tuple[str, str, str | None]], portion: int
) -> None:
    standing = standing_rows(stored)
    sent = [row(external_id, said, number) for number, (external_id, said) in enumerate(file.items(), start=1)]
    verdict = judged(sent, standing, portion)
    landed = {one.row.number for one in verdict.landing}
    assert landed.isdisjoint(verdict.refused)
    assert len(landed) + len(verdict.refused) + verdict.unchanged == len(sent)
    after = {external_id: one.row for external_id, one in standing.items()}
    after |= {one.row.external_id: one.row for one in verdict.landing}
    by_key: defaultdict[str, list[ManifestRow]] = defaultdict(list)
    for one in after.values():
        by_key[one.item_key].append(one)
    assert all(agrees(rows) for rows in by_key.values())


@settings(max_examples=200, deadline=None)
@given(FILE, FILE, st.integers(1, 9))
def test_portions_change_no_verdict(
    stored: dict[int, tuple[str, str, str | None]], file: dict[int, tuple[str, str, str | None]], portion: int
) -> None:
    standing = standing_rows(stored)
    sent = [row(external_id, said, number) for number, (external_id, said) in enumerate(file.items(), start=1)]
    one, other = judged(sent, standing, portion), judged(sent, standing, 100)
    assert (one.landing, one.unchanged, one.refused) == (other.landing, other.unchanged, other.refused)


@settings(max_examples=200, deadline=None)
@given(FILE, FILE)
def test_a_replay_of_what_landed_changes_nothing(
    stored: dict[int, tuple[str, str, str | None]], file: dict[int, tuple[str, str, str | None]]
) -> None:
    standing = standing_rows(stored)
    sent = [row(external_id, said, number) for number, (external_id, said) in enumerate(file.items(), start=1)]
    first = judged(sent, standing, 100)
    after = standing | {
        one.row.external_id: Standing(one.row, Place(TARGET, one.row.item_key), "draft") for one in first.landing
    }
    again = judged([one.row for one in first.landing], after, 100)
    assert (again.landing, again.refused, again.unchanged) == ([], {}, len(first.landing))
