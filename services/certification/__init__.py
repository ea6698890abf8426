"""Certification: from weighed material to a signed statement that anyone can check offline and compute again."""
