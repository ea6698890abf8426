"""The client objects. One per API key; keep it for the life of the process."""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal, Self, Unpack

import httpx

from ._answers import Answer
from ._calls import Call, WriteOptions
from ._generated.resources import AsyncResources, Resources
from ._models import NOT_GIVEN
from ._transport import AsyncTransport, Settings, Transport

Environment = Literal["sandbox", "live"]

LOCAL_SANDBOX = "http://127.0.0.1:8000"
"""Where `backhaul demo` listens; the address of a sandbox client that names no other."""


class Backhaul(Resources):
    """The synchronous client.

    api_key: `bh_test_…` or `bh_live_…`; without it BACKHAUL_API_KEY, and without either only public operations work.
    base_url: without it BACKHAUL_BASE_URL; a sandbox client falls back to the local sandbox, a live one does not.
    environment: refuses a key of the other one; without it the key decides. account: act for `org_…` by delegation.
    timeout: seconds per attempt. max_retries: attempts after the first. http_client: yours to configure and to close.
    """

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        environment: Environment | None = None,
        account: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        http_client: httpx.Client | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        settings = _settings(api_key, base_url, environment, account, timeout, max_retries)
        self._closes_http = http_client is None
        self._transport = Transport(settings, http_client or httpx.Client(), sleep)
        self.environment: Environment = environment or _environment(settings.api_key) or "sandbox"
        super().__init__(self._transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *failure: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections, unless the httpx client was handed in."""
        if self._closes_http:
            self._transport.http.close()

    def with_account(self, account: str | None) -> "Backhaul":
        """The same client acting for another organization, over the same connections."""
        mine = self._transport
        return Backhaul(
            mine.settings.api_key,
            base_url=mine.settings.base_url,
            account=account,
            timeout=mine.settings.timeout,
            max_retries=mine.settings.max_retries,
            http_client=mine.http,
            sleep=mine.sleep,
        )

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = NOT_GIVEN,
        **options: Unpack[WriteOptions],
    ) -> Answer[Any]:
        """Any operation by its path, for what this release has no method for; `parsed` is plain JSON."""
        return self._transport.send(_plain_call(method, path, query, json), Any, options)


class AsyncBackhaul(AsyncResources):
    """The asynchronous client; its arguments are those of Backhaul."""

    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        environment: Environment | None = None,
        account: str | None = None,
        timeout: float = 30.0,
        max_retries: int = 2,
        http_client: httpx.AsyncClient | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        settings = _settings(api_key, base_url, environment, account, timeout, max_retries)
        self._closes_http = http_client is None
        self._transport = AsyncTransport(settings, http_client or httpx.AsyncClient(), sleep)
        self.environment: Environment = environment or _environment(settings.api_key) or "sandbox"
        super().__init__(self._transport)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes the connections, unless the httpx client was handed in."""
        if self._closes_http:
            await self._transport.http.aclose()

    def with_account(self, account: str | None) -> "AsyncBackhaul":
        """The same client acting for another organization, over the same connections."""
        mine = self._transport
        return AsyncBackhaul(
            mine.settings.api_key,
            base_url=mine.settings.base_url,
            account=account,
            timeout=mine.settings.timeout,
            max_retries=mine.settings.max_retries,
            http_client=mine.http,
            sleep=mine.sleep,
        )

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        json: Any = NOT_GIVEN,
        **options: Unpack[WriteOptions],
    ) -> Answer[Any]:
        """Any operation by its path, for what this release has no method for; `parsed` is plain JSON."""
        return await self._transport.send(_plain_call(method, path, query, json), Any, options)


def _settings(
    api_key: str | None,
    base_url: str | None,
    environment: Environment | None,
    account: str | None,
    timeout: float,
    max_retries: int,
) -> Settings:
    key = api_key or os.environ.get("BACKHAUL_API_KEY") or None
    keyed_for = _environment(key)
    if environment and keyed_for and keyed_for != environment:
        raise ValueError(f"a {keyed_for} key does not work in the {environment} environment")
    url = base_url or os.environ.get("BACKHAUL_BASE_URL") or _default_url(environment or keyed_for)
    return Settings(url.rstrip("/"), key, account, timeout, max_retries)


def _default_url(environment: Environment | None) -> str:
    if environment == "live":
        raise ValueError("a live client needs base_url or BACKHAUL_BASE_URL")
    return LOCAL_SANDBOX


def _environment(api_key: str | None) -> Environment | None:
    if api_key is None:
        return None
    if api_key.startswith("bh_live_"):
        return "live"
    return "sandbox" if api_key.startswith("bh_test_") else None


def _plain_call(method: str, path: str, query: Mapping[str, Any] | None, json: Any) -> Call:
    verb = method.upper()
    return Call(verb, path, query=query or {}, json=json, is_keyed=verb == "POST")
