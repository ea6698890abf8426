"""What holders offer to processors: listings of items, and the manifests these are read from.

Owns the tables listing, item, unit, import and import_profile.
Tells listing.created, submitted, published, opened, closed, awarded, award_reopened, fulfilled, expired, withdrawn and cancelled,
and import.completed.
"""
