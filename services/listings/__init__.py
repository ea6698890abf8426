"""What holders offer to processors: listings of items, and the manifests these are read from.

Owns the tables listing, item, unit, offer, saved_search and import.
Tells listing.created, submitted, published, opened, closed, awarded, award_reopened, fulfilled, expired, withdrawn and cancelled,
import.completed and saved_search.matched.
"""
