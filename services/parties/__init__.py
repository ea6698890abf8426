"""Who takes part: organizations with their sites, members, API keys and permits.

Owns the tables organization, site, member, api_key, permit, permit_scope and permit_check.
Tells organization.registered, organization.verified, permit.added, api_key.created and api_key.revoked.
"""
