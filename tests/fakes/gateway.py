"""A gateway between ours and the provider's that fails where a test wants it to."""

from collections.abc import Callable
from typing import Any

from services.payments.gateway import Gateway


class Killed(BaseException):
    """The process is gone: nothing below the call catches it."""


class FaultyGateway:
    """Passes every call on. `before` and `after` raise their error once at the named method: before the effect, or when the
    effect has happened and its answer is lost. `calls` are the names of the methods that were called."""

    def __init__(self, real: Gateway) -> None:
        self._real = real
        self.before: dict[str, BaseException] = {}
        self.after: dict[str, BaseException] = {}
        self.calls: list[str] = []
        self._keys: list[str] = []

    def keys_of(self, operation: str) -> list[str]:
        """The idempotency keys this operation was tried under, in order."""
        return [key for key in self._keys if key.startswith(f"{operation}:")]

    def __getattr__(self, method: str) -> Callable[..., Any]:
        async def call(*args: Any, **given: Any) -> Any:
            self.calls.append(method)
            self._keys += [given["op_key"]] if "op_key" in given else []
            if method in self.before:
                raise self.before.pop(method)
            answer = await getattr(self._real, method)(*args, **given)
            if method in self.after:
                raise self.after.pop(method)
            return answer

        return call
