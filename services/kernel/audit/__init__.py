"""The audit trail: who did what, by which credential, for whom, and what changed from what to what.

One entry per committed unit of work of somebody with an organization; append-only, one hash chain per organization. Owns
`audit_entry`; tells no events.
"""
