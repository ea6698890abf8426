"""Requests and answers of certification."""
