"""People and machines: how they come in, go, and act for each other."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.cast import PASSWORD
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    return _people(world) | _joining(world) | _machines(world) | _delegations(world)


def _people(world: World) -> dict[str, Call]:
    member = {"member_id": world["member"]}
    return {
        "members.get": Call("seller", "buyer", path=member),
        "members.update": Call("seller", "buyer", path=member),
        "members.remove": Call("seller", "buyer", path=member),
        "members.set_password": Call("seller", "buyer"),
    }


def _joining(world: World) -> dict[str, Call]:
    """Who signs in or accepts is of the foreign organization, whoever sends it: what is answered is nobody else's."""
    foreign = world.cast.outsiders.foreign
    signing = {"email": world["foreign_email"], "password": PASSWORD, "organization_id": foreign.org.id}
    return {
        "invitations.create": Call("seller", "buyer", given={"email": "neu@nordwerk.example"}),
        "invitations.list": Call("seller", "buyer"),
        "invitations.revoke": Call("seller", "buyer", path={"invitation_id": world["invitation"]}),
        "invitations.accept": Call("seller", "buyer", given={"token": world["foreign_invitation"]}),
        "sessions.create": Call("seller", "buyer", given=signing),
        "sessions.end": Call("seller", "buyer"),
    }


def _machines(world: World) -> dict[str, Call]:
    foreign, key = world.cast.outsiders.foreign, {"api_key_id": world["key"]}
    form = {"grant_type": "client_credentials", "client_id": str(foreign.actor.key_id), "client_secret": foreign.key}
    return {
        "api_keys.get": Call("seller", "buyer", path=key),
        "api_keys.rotate": Call("seller", "buyer", path=key),
        "oauth.token": Call("seller", "buyer", form=form),
        "oauth.jwks": Call("seller", "buyer"),
    }


def _delegations(world: World) -> dict[str, Call]:
    delegation = {"delegation_id": world["delegation"]}
    return {
        "delegations.create": Call("seller", "buyer", given={"grantee_id": world.party("rival").org.id}),
        "delegations.list": Call("seller", "rival"),
        "delegations.get": Call("seller", "rival", path=delegation),
        "delegations.revoke": Call("seller", "rival", path=delegation),
    }
