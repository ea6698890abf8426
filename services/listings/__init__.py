"""What holders offer to processors: listings of items, and the manifests these are read from.

Owns the tables listing, item, unit, lineage, offer, saved_search, import, import_profile, recall_campaign and stop.
Tells listing.created, submitted, published, opened, admitted, split, merged, closed, partially_awarded, awarded, award_reopened,
remainder_relisted, fulfilled, expired, withdrawn and cancelled, import.completed, saved_search.matched, recall.opened and closed,
stop.placed and lifted.
"""
