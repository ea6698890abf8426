UV := $(shell command -v uv || echo .uv/uv)
RUN := $(UV) run --quiet --frozen

export UV_PYTHON_DOWNLOADS ?= never

.PHONY: check format test demo reference-check examples

check: $(UV)
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports
	./backhaul test

format: $(UV)
	$(RUN) ruff format
	$(RUN) ruff check --fix

test:
	./backhaul test

demo:
	./backhaul demo

# Spectral and Redocly on the committed document; installed once into the user's cache.
reference-check: $(UV)
	$(RUN) python -m tests.guards.openapi_quality

# Asks every operation once and keeps the answers as the reference's examples.
examples: $(UV)
	$(RUN) pytest -n0 tests/guards/openapi_quality/recording.py
	./backhaul openapi

# The wrapper makes itself a uv where there is none.
.uv/uv:
	./backhaul --help >/dev/null
