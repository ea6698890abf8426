"""The public face of certificates."""

from tests.guards.authorization.asking import Call
from tests.guards.authorization.world import World


def calls(world: World) -> dict[str, Call]:
    issued = {"certificate_id": world["issued_certificate"]}
    first = issued | {"version": "1"}
    scheme = {"name": world["scheme_name"], "version": world["scheme_version"]}
    return {
        "certificates.verification": Call("buyer", "seller", path=issued),
        "certificates.verify": Call("buyer", "seller", given={"credential": world["credential"]}),
        "public.did": Call("buyer", "seller"),
        "public.sandbox_did": Call("buyer", "seller"),
        "public.credential": Call("buyer", "seller", path=first),
        "public.impact": Call("buyer", "seller", path=first),
        "public.status_list": Call("buyer", "seller", path={"status_list_id": world["status_list"]}),
        "public.page": Call("buyer", "seller", path=issued),
        "public.namespace": Call("buyer", "seller"),
        "public.scheme": Call("buyer", "seller", path=scheme),
    }
