"""HTTP of invitations."""

from typing import Annotated

from fastapi import APIRouter, Request, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import (
    Anybody,
    DryRun,
    Matching,
    UnitOfWorkRoute,
    Work,
    holding,
    runtime_of,
    tag,
)
from services.kernel.ids import InvitationId
from services.kernel.pagination import Paging, rows_of
from services.parties import inviting, queries
from services.parties.models import Invitation
from services.parties.schemas import (
    Acceptance,
    AcceptedAnswer,
    InvitationAnswer,
    InvitationPage,
    InvitedAnswer,
    NewInvitation,
)

invitations = APIRouter(prefix="/v1", tags=["invitations"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("members:read")]
Writes = Annotated[Actor, holding("members:write")]


@invitations.post("/invitations", name="create", status_code=201, summary="Invite a person")
async def create_invitation(invitation: NewInvitation, work: Work, actor: Writes, answer: Response) -> InvitedAnswer:
    """The token is shown this once and good for 14 days; bring it to the person by a way you trust.

    Refused with `role_above_yours` for a role that may do more than your credential, with `member_exists` for a member's
    address and with `invitation_pending` for one that is invited already.
    """
    invited = await inviting.invite(work, by=actor, email=invitation.email, name=invitation.name, role=invitation.role)
    tag(answer, invited.invitation.version)
    return InvitedAnswer.invited(invited, actor)


@invitations.get("/invitations", name="list", summary="List invitations")
async def list_invitations(work: Work, actor: Reads, paging: Paging) -> InvitationPage:
    """Your organization's, newest first, whatever became of them; tokens never."""
    rows, after = await rows_of(work, queries.invitations_visible_to(actor), col(Invitation.id), paging)
    data = [InvitationAnswer.of(row, actor) for row in rows]
    return InvitationPage(data=data, has_more=after is not None, next_cursor=after)


@invitations.post(
    "/invitations/{invitation_id}/revoke", name="revoke", summary="Revoke an invitation", dependencies=[DryRun]
)
async def revoke_invitation(
    invitation_id: InvitationId, work: Work, actor: Writes, matching: Matching, answer: Response
) -> InvitationAnswer:
    """Its token opens nothing from now on."""
    revoked = await inviting.revoke(work, invitation_id, by=actor, check_version=matching.matches)
    tag(answer, revoked.version)
    return InvitationAnswer.of(revoked, actor)


@invitations.post("/invitations/accept", name="accept", status_code=201, summary="Accept an invitation")
async def accept_invitation(body: Acceptance, request: Request, work: Work, actor: Anybody) -> AcceptedAnswer:
    """Needs no credential but the invitation's token. With a password you are signed in at once.

    Refused with `invitation_unknown`, with `transition_not_possible` when it was accepted or revoked before, with
    `invitation_expired` (409) after its time, with `member_exists` when the address has become a member's meanwhile, with
    `name_needed` where neither you nor the invitation say a name, and with `live_not_served` (401) by a server of the sandbox
    alone. Causes `member.joined`.
    """
    serves_live = runtime_of(request).settings.is_live
    accepted = await inviting.accept(
        work, token=body.token, name=body.name, password=body.password, serves_live=serves_live
    )
    return AcceptedAnswer.of(accepted, work.actor)
