"""Rate limits: per organization, not per address; a smaller one per address for callers without a credential.

Fixed windows, counted in this process: with several API processes the quota holds for each of them. Whoever needs one
quota over all of them puts another of the library's storages in the place of `Windows`; nothing else changes.
"""

import ipaddress
import time

from limits import RateLimitItem, parse
from limits.storage import Storage
from starlette.types import Scope

from services.kernel.actors import Actor
from services.kernel.errors import Problem

QUOTA = "backhaul.quota"
"""Where the ASGI scope holds the headers of the quota that a request has used."""
SWEEP_ABOVE = 10_000
SWEEP_EVERY = 10.0


class RateLimited(Problem):
    """The quota of the organization, or of the address, is used up; `Retry-After` says for how long."""

    status = 429
    code = "rate_limited"
    title = "Too many requests"

    def __init__(self, policy: str, seconds: int) -> None:
        super().__init__(
            f"The quota of {policy} is used up for another {seconds} s.", headers={"Retry-After": str(seconds)}
        )


class Limiter:
    """`organizations` and `addresses` are quotas such as "600/minute"; an empty one or "0" means no limit, and without one for
    organizations there is none for addresses either."""

    def __init__(self, organizations: str, addresses: str) -> None:
        windows = Windows()
        self._organizations = _policy(windows, "default", organizations)
        self._addresses = _policy(windows, "anonymous", addresses) if self._organizations else None

    def take(self, scope: Scope, actor: Actor) -> None:
        """Counts a request of a known caller against the organization that sends it, once whichever ways it goes; RateLimited when
        it has used its quota up. Under a delegation that is who acts, not for whom."""
        org_id = actor.acting_org_id or actor.org_id
        if self._organizations is not None and org_id is not None and QUOTA not in scope:
            self._organizations.take(scope, org_id)

    def take_anonymous(self, scope: Scope) -> None:
        """Counts a request without a credential, or with one that opened nothing, against the caller's address."""
        if self._addresses is not None:
            self._addresses.take(scope, _network_of(scope))


def _network_of(scope: Scope) -> str:
    """An IPv6 caller has a whole /64 of addresses: it counts as one."""
    host = str(scope["client"][0]) if scope.get("client") else "unknown"
    if ":" not in host:
        return host
    try:
        return str(ipaddress.ip_network(f"{host.partition('%')[0]}/64", strict=False))
    except ValueError:
        return host


def _policy(windows: Storage, name: str, quota: str) -> "Policy | None":
    return None if quota.strip() in ("", "0") else Policy(windows, name, parse(quota))


class Policy:
    """One quota and its headers (draft-ietf-httpapi-ratelimit-headers-11)."""

    def __init__(self, windows: Storage, name: str, quota: RateLimitItem) -> None:
        self._windows, self._name = windows, name
        self._amount, self._seconds = quota.amount, quota.get_expiry()
        self._told = f'"{name}";q={self._amount};w={self._seconds}'
        self._header = (b"ratelimit-policy", self._told.encode())

    def take(self, scope: Scope, key: str) -> None:
        key = f"{self._name}/{key}"
        used = self._windows.incr(key, self._seconds)
        left = max(1, round(self._windows.get_expiry(key) - time.time()))
        told = f'"{self._name}";r={max(0, self._amount - used)};t={left}'
        scope[QUOTA] = (self._header, (b"ratelimit", told.encode()))
        if used > self._amount:
            raise RateLimited(self._told, left)


class Windows(Storage):
    """Counters in this process's memory. The library's own starts a thread every ten milliseconds under load, to forget old
    windows; here they are forgotten when there are many."""

    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._windows: dict[str, tuple[int, float]] = {}
        self._swept_at = 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        now = time.time()
        count, ends_at = self._windows.get(key, (0, 0.0))
        if ends_at <= now:
            count, ends_at = 0, now + expiry
            self._sweep(now)
        self._windows[key] = (count + amount, ends_at)
        return count + amount

    def _sweep(self, now: float) -> None:
        if len(self._windows) > SWEEP_ABOVE and now - self._swept_at > SWEEP_EVERY:
            self._swept_at = now
            self._windows = {key: window for key, window in self._windows.items() if window[1] > now}

    def get(self, key: str) -> int:
        count, ends_at = self._windows.get(key, (0, 0.0))
        return count if ends_at > time.time() else 0

    def get_expiry(self, key: str) -> float:
        return self._windows.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        forgotten = len(self._windows)
        self._windows.clear()
        return forgotten

    def clear(self, key: str) -> None:
        self._windows.pop(key, None)
