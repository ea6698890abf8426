"""Fresh objects in the shape of Stripe's API version 2026-10-28.endive, without keys its library does not know."""

from services.payments.simulator.wire import Json


def intent(
    id: str, *, created: int, amount: int, currency: str, account: str | None, group: str | None, metadata: Json
) -> Json:
    return {
        "id": id,
        "object": "payment_intent",
        "allowed_payment_method_types": [],
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": None,
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": "automatic_async",
        "client_secret": f"{id}_secret_simulated",
        "confirmation_method": "automatic",
        "created": created,
        "currency": currency,
        "customer": None,
        "customer_account": account,
        "description": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": metadata,
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": None,
        "payment_method_options": {},
        "processing": None,
        "receipt_email": None,
        "review": None,
        "setup_future_usage": None,
        "shipping": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "requires_payment_method",
        "transfer_data": None,
        "transfer_group": group,
    }


def bank_instructions(*, iban: str, reference: str, amount_remaining: int, currency: str, country: str) -> Json:
    address = {"city": None, "country": country, "line1": None, "line2": None, "postal_code": None, "state": None}
    account = {
        "account_holder_address": address,
        "account_holder_name": "Simulated Stripe (no bank)",
        "bank_address": address,
        "bic": "SIMUDEFFXXX",
        "country": country,
        "iban": iban,
    }
    return {
        "type": "display_bank_transfer_instructions",
        "display_bank_transfer_instructions": {
            "amount_remaining": amount_remaining,
            "currency": currency,
            "financial_addresses": [{"type": "iban", "iban": account, "supported_networks": ["sepa"]}],
            "hosted_instructions_url": None,
            "reference": reference,
            "type": "eu_bank_transfer",
        },
    }


def charge(id: str, *, created: int, intent: Json) -> Json:
    return {
        "id": id,
        "object": "charge",
        "amount": intent["amount"],
        "amount_captured": intent["amount"],
        "amount_refunded": 0,
        "application": None,
        "application_fee": None,
        "application_fee_amount": None,
        "balance_transaction": None,
        "billing_details": {"address": None, "email": None, "name": None, "phone": None, "tax_id": None},
        "calculated_statement_descriptor": None,
        "captured": True,
        "created": created,
        "currency": intent["currency"],
        "customer": None,
        "description": None,
        "disputed": False,
        "failure_balance_transaction": None,
        "failure_code": None,
        "failure_message": None,
        "fraud_details": {},
        "livemode": False,
        "metadata": intent["metadata"],
        "on_behalf_of": None,
        "outcome": None,
        "paid": True,
        "payment_intent": intent["id"],
        "payment_method": intent["payment_method"],
        "payment_method_details": {"type": "customer_balance", "customer_balance": {}},
        "receipt_email": None,
        "receipt_number": None,
        "receipt_url": None,
        "refunded": False,
        "review": None,
        "shipping": None,
        "source_transfer": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": None,
        "status": "succeeded",
        "transfer_data": None,
        "transfer_group": intent["transfer_group"],
    }


def balance_transaction(
    id: str,
    *,
    created: int,
    available_on: int,
    type: str,
    category: str,
    amount: int,
    fee: int,
    currency: str,
    source: str,
) -> Json:
    fees = {
        "amount": fee,
        "application": None,
        "currency": currency,
        "description": "Simulated fee",
        "type": "stripe_fee",
    }
    return {
        "id": id,
        "object": "balance_transaction",
        "amount": amount,
        "available_on": available_on,
        "balance_type": "payments",
        "created": created,
        "currency": currency,
        "description": None,
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [fees] if fee else [],
        "net": amount - fee,
        "reporting_category": category,
        "source": source,
        "status": "available" if available_on <= created else "pending",
        "type": type,
    }


def transfer(
    id: str,
    *,
    created: int,
    amount: int,
    currency: str,
    destination: str,
    source: str | None,
    group: str | None,
    metadata: Json,
    description: str | None,
) -> Json:
    return {
        "id": id,
        "object": "transfer",
        "amount": amount,
        "amount_reversed": 0,
        "balance_transaction": None,
        "created": created,
        "currency": currency,
        "description": description,
        "destination": destination,
        "destination_payment": id.replace("tr_", "py_", 1),
        "livemode": False,
        "metadata": metadata,
        "reversals": {"object": "list", "data": [], "has_more": False, "url": f"/v1/transfers/{id}/reversals"},
        "reversed": False,
        "source_transaction": source,
        "source_type": "card",
        "transfer_group": group,
    }


def reversal(id: str, *, created: int, amount: int, transfer: Json, metadata: Json) -> Json:
    return {
        "id": id,
        "object": "transfer_reversal",
        "amount": amount,
        "balance_transaction": None,
        "created": created,
        "currency": transfer["currency"],
        "destination_payment_refund": None,
        "metadata": metadata,
        "source_refund": None,
        "transfer": transfer["id"],
    }


def refund(
    id: str, *, created: int, amount: int, charge: Json, reason: str | None, email: str | None, metadata: Json
) -> Json:
    return {
        "id": id,
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": created,
        "currency": charge["currency"],
        "customer": None,
        "customer_account": None,
        "description": None,
        "destination_details": {
            "eu_bank_transfer": {"reference": None, "reference_status": None},
            "type": "eu_bank_transfer",
        },
        "failure_balance_transaction": None,
        "failure_reason": None,
        "instructions_email": email,
        "metadata": metadata,
        "next_action": None,
        "payment_intent": charge["payment_intent"],
        "pending_reason": None,
        "reason": reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": "pending",
        "transfer_reversal": None,
    }


def cash_balance(account: str, available: dict[str, int]) -> Json:
    return {
        "object": "cash_balance",
        "available": available,
        "customer": None,
        "customer_account": account,
        "livemode": False,
        "settings": {"reconciliation_mode": "automatic", "using_merchant_default": True},
    }


def cash_transaction(
    id: str, *, created: int, account: str, type: str, net: int, ending: int, currency: str, detail: Json
) -> Json:
    return {
        "id": id,
        "object": "customer_cash_balance_transaction",
        "created": created,
        "currency": currency,
        "customer": None,
        "customer_account": account,
        "ending_balance": ending,
        "livemode": False,
        "net_amount": net,
        "type": type,
        **detail,
    }


def account(id: str, *, created: str, params: Json, metadata: Json) -> Json:
    configuration = params.get("configuration") or {}
    identity = params.get("identity") or {}
    defaults = params.get("defaults") or {}
    return {
        "id": id,
        "object": "v2.core.account",
        "applied_configurations": sorted(configuration),
        "closed": False,
        "configuration": {"customer": None, "merchant": None, "recipient": None},
        "contact_email": params.get("contact_email"),
        "contact_phone": None,
        "created": created,
        "dashboard": params.get("dashboard"),
        "defaults": {
            "currency": None,
            "locales": None,
            "profile": None,
            "responsibilities": {**(defaults.get("responsibilities") or {}), "requirements_collector": "stripe"},
        },
        "display_name": params.get("display_name"),
        "future_requirements": None,
        "identity": {
            "attestations": None,
            "business_details": None,
            "country": identity.get("country"),
            "entity_type": identity.get("entity_type"),
            "individual": None,
        },
        "livemode": False,
        "metadata": metadata,
        "requirements": {"entries": [], "summary": {"minimum_deadline": None}},
    }


def requirement(description: str, *, awaiting: str = "user", deadline: str = "currently_due") -> Json:
    restricted = {
        "capability": "stripe_balance.stripe_transfers",
        "configuration": "recipient",
        "deadline": {"status": deadline},
    }
    return {
        "awaiting_action_from": awaiting,
        "description": description,
        "errors": [],
        "impact": {"restricts_capabilities": [restricted]},
        "minimum_deadline": {"status": deadline},
        "reference": None,
        "requested_reasons": [{"code": "routine_onboarding"}],
    }
