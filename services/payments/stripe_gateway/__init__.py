"""The gateway over Stripe's own library: its types and errors end in this package."""

from services.payments.stripe_gateway.amounts import from_stripe, to_stripe
from services.payments.stripe_gateway.client import StripeGateway

__all__ = ["StripeGateway", "from_stripe", "to_stripe"]
