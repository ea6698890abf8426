"""From a processed batch to a signed certificate, and out of force again."""

from services.certification.issuing.drafting import Wanted, draft
from services.certification.issuing.reviewing import query, refuse, take_up
from services.certification.issuing.revoking import revoke, suspend
from services.certification.issuing.signing import issue, reinstate
from services.certification.issuing.submitting import Submission, submit, withdraw

__all__ = [
    "Submission",
    "Wanted",
    "draft",
    "issue",
    "query",
    "refuse",
    "reinstate",
    "revoke",
    "submit",
    "suspend",
    "take_up",
    "withdraw",
]
