"""Accounts at the provider: one per organization, to be paid and to pay through."""

from services.kernel.states import move
from services.kernel.unit_of_work import UnitOfWork
from services.parties import queries as parties
from services.payments import gateway, queries
from services.payments.events import PayoutsEnabled, PayoutsRestricted
from services.payments.models import PAYOUT_ACCOUNT, PayoutAccount
from services.payments.operations import outbox


async def ensure(work: UnitOfWork, org_id: str) -> PayoutAccount:
    """The organization's account; asks the provider for one if there is none yet."""
    organization = await parties.organization_for_update(work, org_id)
    found = await queries.payout_account(work, org_id)
    if found is not None:
        return found
    account = PayoutAccount(org_id=organization.id, livemode=work.livemode, created_at=work.now)
    work.add(account)
    async with work.as_house():
        asked = {"name": organization.legal_name, "country": organization.country, "email": organization.contact_email}
        await outbox.intend(
            work, name=f"{org_id}:account:1", kind="open_account", org_id=org_id, subject_id=org_id, params=asked
        )
    return account


async def opened(work: UnitOfWork, account: PayoutAccount, found: gateway.Account) -> None:
    """The provider has opened it: payments can be collected through it from now on."""
    account.stripe_id = found.id
    if account.status == "requested":
        move(PAYOUT_ACCOUNT, account, "open", by="provider")
    await outbox.wake(work, account.org_id)
    await mirror(work, account, found)


async def mirror(work: UnitOfWork, account: PayoutAccount, found: gateway.Account) -> None:
    """Follows the provider's word. What was never active is pending; what was and is not any more is restricted."""
    account.requirements = list(found.requirements)
    transition = _transition(account.status, found)
    if transition is None:
        return
    moved = move(PAYOUT_ACCOUNT, account, transition, by="provider")
    told = {account.org_id: "owner"}
    if transition == "enable":
        work.emit(PayoutsEnabled(org_id=account.org_id), subject=account.org_id, audience=told, moved=moved)
        await outbox.wake(work, account.org_id)
    elif transition in ("restrict", "close"):
        event = PayoutsRestricted(org_id=account.org_id, status=moved.new, requirements=account.requirements)
        work.emit(event, subject=account.org_id, audience=told, moved=moved)


def _transition(status: str, found: gateway.Account) -> str | None:
    if status == "closed":
        return None
    if found.is_closed:
        return "close"
    if found.transfers_status == "active":
        return None if status == "active" else "enable"
    if status == "active" or (found.transfers_status == "rejected" and status != "restricted"):
        return "restrict"
    return "ask" if status == "link_issued" and found.transfers_status == "pending" else None


async def link_issued(work: UnitOfWork, org_id: str) -> None:
    """An onboarding link was given out; the link itself is never stored."""
    account = await queries.payout_account_for_update(work, org_id)
    if account is not None and account.status in ("created", "link_issued", "pending_requirements", "restricted"):
        move(PAYOUT_ACCOUNT, account, "link", by="owner")
