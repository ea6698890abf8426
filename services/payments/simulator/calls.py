"""What a handler gets: the decoded request, the state and the settings; and the few look-ups all handlers share."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from services.payments.simulator.store import Store
from services.payments.simulator.wire import Json, Refusal, integer, listed, text, unknown_object


@dataclass(frozen=True)
class Behaviour:
    """Illustrative where Stripe's own figure depends on contract and country.

    `fee` is in hundredths of a whole unit per payment; the delays are seconds of the simulator's clock.
    """

    fee: int = 500
    booking_delay: int = 0
    available_delay: int = 0
    refund_delay: int = 0
    key_lifetime: int = 86_400
    link_lifetime: int = 600


@dataclass(frozen=True)
class Call:
    store: Store
    behaviour: Behaviour
    params: Json = field(default_factory=dict)
    path: Mapping[str, str] = field(default_factory=dict)
    base_url: str = ""

    def existing(self, kind: str, name: str = "id") -> Json:
        """The object the path names; 404 in Stripe's shape."""
        found = self.store.get(self.path[name], kind)
        if found is None:
            raise unknown_object(kind, self.path[name])
        return found

    def answer(self, body: Json) -> Json:
        """With the ids under `expand` replaced by their objects."""
        for path in self.params.get("expand") or []:
            self._expand(body, path.split("."))
        return body

    def page(self, url: str, kind: str, *filters: str, **fixed: str) -> Json:
        """Newest first, with Stripe's paging: `limit`, `starting_after`, `ending_before`, `created`."""
        limit = integer(self.params, "limit", 10)
        if not 1 <= limit <= 100:
            raise Refusal("Limit must be between 1 and 100.", param="limit", code="parameter_invalid_integer")
        equal = {name: text(self.params, name) for name in filters if name in self.params} | fixed
        where, bound = self._window()
        if "ending_before" in self.params:
            before = self._position("ending_before")
            newer = self.store.find(kind, equal, where=f"{where} AND seq > ?", bound=(*bound, before))
            return self.answer(listed(url, newer[-limit:], has_more=len(newer) > limit))
        if "starting_after" in self.params:
            where, bound = f"{where} AND seq < ?", (*bound, self._position("starting_after"))
        found = self.store.find(kind, equal, where=where, bound=bound, limit=limit + 1)
        return self.answer(listed(url, found[:limit], has_more=len(found) > limit))

    def _position(self, name: str) -> int:
        position = self.store.position(text(self.params, name))
        if position is None:
            raise Refusal(f"No such object: '{self.params[name]}'", param=name, code="resource_missing")
        return position

    def _window(self) -> tuple[str, tuple[int, ...]]:
        created = self.params.get("created")
        if created is None:
            return "1", ()
        if not isinstance(created, dict):
            return "created = ?", (integer(self.params, "created"),)
        signs = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
        if set(created) - set(signs):
            raise Refusal("Received unknown parameter: created", param="created", code="parameter_unknown")
        clauses = [f"created {signs[name]} ?" for name in created]
        return " AND ".join(clauses), tuple(integer(created, name) for name in created)

    def _expand(self, body: Json, parts: list[str]) -> None:
        head, *rest = parts
        value = body.get(head)
        if isinstance(value, list):
            for each in value:
                self._expand(each, rest)
            return
        if isinstance(value, str):
            value = body[head] = self.store.anything(value) or value
        if rest and isinstance(value, dict):
            self._expand(value, rest)
