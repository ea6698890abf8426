"""Status lists and the keys they are signed with."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlmodel import col

from services.certification.models import CertificateVersion, SigningKey, StatusList
from services.certification.queries.finding import every, locked, maybe, one
from services.kernel.unit_of_work import UnitOfWork


async def status_list(work: UnitOfWork, status_list_id: str) -> StatusList:
    """Of either environment."""
    return await one(
        work, select(StatusList).where(col(StatusList.id) == status_list_id), "status list", status_list_id
    )


async def status_list_for_update(work: UnitOfWork, status_list_id: str) -> StatusList:
    query = select(StatusList).where(col(StatusList.id) == status_list_id)
    return await one(work, locked(query), "status list", status_list_id)


async def open_list_for_update(work: UnitOfWork) -> StatusList | None:
    """The one new versions draw their index from."""
    query = select(StatusList).where(col(StatusList.livemode) == work.livemode, col(StatusList.is_open).is_(True))
    return await maybe(work, locked(query))


async def is_index_taken(work: UnitOfWork, status_list_id: str, index: int) -> bool:
    query = select(col(CertificateVersion.number)).where(
        col(CertificateVersion.status_list_id) == status_list_id, col(CertificateVersion.status_index) == index
    )
    return await maybe(work, query) is not None


async def signing_keys(work: UnitOfWork, *, livemode: bool) -> Sequence[SigningKey]:
    """Every key not compromised, the oldest first."""
    query = select(SigningKey).where(col(SigningKey.livemode) == livemode, col(SigningKey.compromised_at).is_(None))
    return await every(work, query.order_by(col(SigningKey.created_at), col(SigningKey.kid)))
