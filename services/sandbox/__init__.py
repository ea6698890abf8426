"""A market with a ready-made cast, to build and test against."""
