"""Who takes part: organizations with their sites, members, credentials, permits and papers, and who acts for whom.

Owns the tables organization, organization_document, site, member, invitation, member_session, sign_in_failure, api_key, delegation,
permit, permit_scope and permit_check; the files of documents lie in the kernel's stored_file.
Tells organization.*, document.*, permit.*, api_key.*, and the news of members, invitations and delegations (`events.py`).
"""
