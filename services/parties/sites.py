"""The places of an organization, and when they are open."""

from collections.abc import Iterable
from datetime import date, datetime, time
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

from services.kernel.actors import Actor
from services.kernel.errors import Forbidden, Reason, invalid
from services.kernel.ids import SiteId
from services.kernel.tables import CheckVersion, any_version
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries
from services.parties.models import WEEKDAYS, OpeningHours, Site, SiteCalendar, SiteChanges, SiteDetails
from services.parties.policy import must_reach


async def create(work: UnitOfWork, details: SiteDetails, *, calendar: SiteCalendar | None = None, by: Actor) -> Site:
    """Raises Invalid for a zone IANA does not have, and for a place that closes before it opens; SiteNotDelegated."""
    must_reach(by)
    if details.timezone not in _zones():
        raise invalid("/timezone", "timezone_unknown", f"{details.timezone} is not an IANA time zone.")
    calendar = calendar or SiteCalendar()
    _refuse_impossible(details.opens, details.closes, calendar.hours)
    site = Site(
        **details.model_dump(include=set(SiteDetails.model_fields)),
        **calendar.model_dump(mode="json", include=set(SiteCalendar.model_fields)),
        org_id=by.org,
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(site)
    await work.session.flush()
    return site


async def change(
    work: UnitOfWork,
    site_id: SiteId,
    changes: SiteChanges,
    *,
    by: Actor,
    check_version: CheckVersion = any_version,
) -> Site:
    """Slots that are booked stay booked. Raises Invalid as `create` does."""
    site = await queries.visible_site_for_update(work, site_id, by)
    if site.org_id != by.org:
        raise Forbidden("A site is changed by its organization.")
    check_version(site.version)
    stored = changes.model_dump(mode="json", include=changes.model_fields_set & set(SiteChanges.model_fields))
    for name, value in stored.items():
        setattr(site, name, value)
    _refuse_impossible(site.opens, site.closes, [OpeningHours.model_validate(one) for one in site.hours])
    site.version += 1
    return site


def _refuse_impossible(opens: str, closes: str, hours: Iterable[OpeningHours]) -> None:
    if opens >= closes:
        raise invalid("/closes", "closes_before_it_opens", "A place closes later on the day than it opens.")
    by_day: dict[str, list[OpeningHours]] = {}
    for position, stretch in enumerate(hours):
        if stretch.opens >= stretch.closes:
            sentence = "A place closes later on the day than it opens."
            raise invalid(f"/hours/{position}/closes", "closes_before_it_opens", sentence)
        by_day.setdefault(stretch.day, []).append(stretch)
    for day, stretches in by_day.items():
        ordered = sorted(stretches, key=lambda stretch: stretch.opens)
        if any(later.opens < earlier.closes for earlier, later in pairwise(ordered)):
            raise invalid("/hours", "hours_overlap", f"Two stretches of {day} overlap.")


def against_visit(site: Site, starts_at: datetime, ends_at: datetime) -> list[Reason]:
    """`site_blackout` and `site_closed`: what stands against being there then, by the clock and calendar on its wall."""
    zone = ZoneInfo(site.timezone)
    first, last = starts_at.astimezone(zone), ends_at.astimezone(zone)
    reasons = [*_blackouts(site, first.date(), last.date())]
    if not is_open(site, starts_at, ends_at):
        reasons.append(Reason("site_closed", f"The site is open {_told_hours(site, first.date())} {site.timezone}."))
    return reasons


def is_open(site: Site, starts_at: datetime, ends_at: datetime) -> bool:
    """Whether both lie inside one stretch of one day's opening hours, by the clock on the site's wall."""
    zone = ZoneInfo(site.timezone)
    first, last = starts_at.astimezone(zone), ends_at.astimezone(zone)
    if first.date() != last.date():
        return False
    return any(opens <= first.time() and last.time() <= closes for opens, closes in _stretches(site, first.date()))


def _stretches(site: Site, on: date) -> list[tuple[time, time]]:
    """Of that day; a weekday without hours is closed where any are given."""
    if not site.hours:
        return [(time.fromisoformat(site.opens), time.fromisoformat(site.closes))]
    today = WEEKDAYS[on.weekday()]
    return [
        (time.fromisoformat(one["opens"]), time.fromisoformat(one["closes"]))
        for one in sorted(site.hours, key=lambda one: str(one["opens"]))
        if one["day"] == today
    ]


def _told_hours(site: Site, on: date) -> str:
    stretches = _stretches(site, on)
    if not stretches:
        return f"on other days than {WEEKDAYS[on.weekday()]}s,"
    return "and ".join(f"from {opens:%H:%M} to {closes:%H:%M} " for opens, closes in stretches).rstrip()


def _blackouts(site: Site, first: date, last: date) -> Iterable[Reason]:
    for one in site.blackouts:
        starts_on, ends_on = date.fromisoformat(one["starts_on"]), date.fromisoformat(one["ends_on"])
        if starts_on <= last and first <= ends_on:
            yield Reason("site_blackout", f"Nobody is there from {starts_on} to {ends_on}: {one['reason']}.")


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())
