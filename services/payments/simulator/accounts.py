"""Accounts v2 with the configurations recipient and customer, their onboarding links and their thin events."""

import secrets
from typing import Any

from services.payments.simulator import templates
from services.payments.simulator.calls import Call
from services.payments.simulator.events import notice
from services.payments.simulator.wire import Json, Refusal, metadata_of, rfc3339, text, unknown_object

INCLUDABLE = (
    "configuration.customer",
    "configuration.merchant",
    "configuration.recipient",
    "defaults",
    "future_requirements",
    "identity",
    "requirements",
)
_FIRST_REQUIREMENTS = (
    "identity.business_details.registered_name",
    "identity.business_details.address",
    "configuration.recipient.default_outbound_destination",
)


def create(call: Call) -> Json:
    params, store = call.params, call.store
    unknown = set(params.get("configuration") or {}) - {"customer", "recipient"}
    if unknown:
        raise Refusal(
            f"Not imitated by the simulator: configuration {', '.join(sorted(unknown))}", param="configuration"
        )
    account = templates.account(
        store.new_id("acct"), created=rfc3339(store.exact_now), params=params, metadata=metadata_of(params)
    )
    if "customer" in account["applied_configurations"]:
        account["configuration"]["customer"] = _customer()
    if "recipient" in account["applied_configurations"]:
        _set_transfers(account, "restricted", ("requirements_past_due", "provide_info"))
        account["requirements"]["entries"] = [templates.requirement(each) for each in _FIRST_REQUIREMENTS]
    notice(store, "v2.core.account.created", store.put(account)["id"])
    return _included(account, params)


def retrieve(call: Call) -> Json:
    return _included(call.existing("v2.core.account"), call.params)


def page(call: Call) -> Json:
    """One page of up to `limit`; `next_page_url` leads on."""
    limit = min(int(call.params.get("limit", 20)), 100)
    offset = int(call.params.get("page", 0))
    found = call.store.find("v2.core.account")[offset : offset + limit + 1]
    following = f"/v2/core/accounts?limit={limit}&page={offset + limit}" if len(found) > limit else None
    data = [_included(account, {}) for account in found[:limit]]
    return {"data": data, "next_page_url": following, "previous_page_url": None}


def create_link(call: Call) -> Json:
    """Single use, and it expires; the address is the simulator's own onboarding page."""
    store = call.store
    account = text(call.params, "account")
    if store.get(account, "v2.core.account") is None:
        raise unknown_object("account", account)
    use_case = call.params.get("use_case") or {}
    if use_case.get("type") != "account_onboarding":
        raise Refusal("Not imitated by the simulator: links other than account_onboarding", param="use_case")
    urls = use_case.get("account_onboarding") or {}
    token, expires = secrets.token_urlsafe(18), store.exact_now + call.behaviour.link_lifetime
    refresh_url, return_url = text(urls, "refresh_url"), urls.get("return_url")
    for name, url in (("refresh_url", refresh_url), ("return_url", return_url or refresh_url)):
        if not url.startswith(("http://", "https://")):
            raise Refusal(f"Not a valid URL: {url}", param=name, code="url_invalid")
    store.set(
        f"link:{token}",
        {
            "account": account,
            "expires": expires,
            "refresh_url": refresh_url,
            "return_url": return_url,
            "is_used": False,
        },
    )
    return {
        "object": "v2.core.account_link",
        "account": account,
        "created": rfc3339(store.exact_now),
        "expires_at": rfc3339(expires),
        "livemode": False,
        "url": f"{call.base_url}/_simulator/onboarding/{token}",
        "use_case": use_case,
    }


def follow_link(call: Call) -> Json:
    """Completes the onboarding. `return_url` where it did, else only `refresh_url`: used, expired or unknown to us."""
    name = f"link:{call.path['link']}"
    link = call.store.setting(name)
    if link is None:
        raise unknown_object("account_link", call.path["link"])
    if link["is_used"] or link["expires"] <= call.store.exact_now:
        return {"account": link["account"], "refresh_url": link["refresh_url"]}
    call.store.set(name, {**link, "is_used": True})
    notice(call.store, "v2.core.account_link.returned", link["account"])
    change(Call(call.store, call.behaviour, path={"id": link["account"]}), "active")
    return {"account": link["account"], "return_url": link["return_url"]}


def complete(call: Call) -> Json:
    return change(call, "active")


def restrict(call: Call) -> Json:
    return change(call, "restricted")


def change(call: Call, status: str) -> Json:
    """Moves the capability to receive transfers, and tells of it by the two thin events Stripe sends."""
    account = call.existing("v2.core.account")
    if status == "active":
        _set_transfers(account, "active")
        account["requirements"]["entries"] = []
    else:
        _set_transfers(account, status, ("restricted_other", "contact_stripe"))
        due = templates.requirement("identity.business_details.documents", deadline="past_due")
        account["requirements"]["entries"] = [due]
    call.store.put(account)
    notice(call.store, "v2.core.account[requirements].updated", account["id"])
    notice(
        call.store,
        "v2.core.account[configuration.recipient].capability_status_updated",
        account["id"],
        {"updated_capability": "stripe_balance.stripe_transfers"},
    )
    return account


def _set_transfers(account: Json, status: str, *details: tuple[str, str]) -> None:
    capability = {
        "status": status,
        "status_details": [{"code": code, "resolution": resolution} for code, resolution in details],
    }
    account["configuration"]["recipient"] = {
        "applied": True,
        "capabilities": {"stripe_balance": {"payouts": capability, "stripe_transfers": capability}},
    }


def _customer() -> Json:
    return {
        "applied": True,
        "automatic_indirect_tax": None,
        "billing": None,
        "capabilities": None,
        "shipping": None,
        "test_clock": None,
    }


def _included(account: Json, params: Json) -> Json:
    """Fields outside `include` are null, as Stripe answers them."""
    include: Any = params.get("include") or []
    unknown = [each for each in include if each not in INCLUDABLE]
    if unknown:
        raise Refusal(f"Unknown include: {', '.join(unknown)}", param="include", code="invalid_fields")
    shown = {**account}
    for field in ("defaults", "future_requirements", "identity", "requirements"):
        shown[field] = account[field] if field in include else None
    kept = {name: value for name, value in account["configuration"].items() if f"configuration.{name}" in include}
    shown["configuration"] = {**dict.fromkeys(account["configuration"]), **kept} if kept else None
    return shown
