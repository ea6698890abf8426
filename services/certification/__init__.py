"""Certification: from weighed material to a signed statement that anyone can check offline and compute again.

Owns material_batch, batch_code, custody_event, custody_line, batch_claim, claim_allocation, certificate, certificate_batch,
certificate_event, certificate_version, status_list, signing_key, impact_statement and evidence.
Tells custody.recorded, batch.created, batch.processed, impact.stated and certificate.drafted, .submitted,
.verification_started, .queried, .refused, .withdrawn, .issued, .suspended, .reinstated, .revoked and .expired.
"""
