"""Letting in whoever can do what a listing asks for: when it is published, and as organizations become capable."""
