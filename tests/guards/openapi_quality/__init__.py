"""The document under Spectral and Redocly: `python -m tests.guards.openapi_quality`, or `make reference-check`."""
