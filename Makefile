UV := $(shell command -v uv || echo .uv/uv)
RUN := $(UV) run --quiet --frozen

export UV_PYTHON_DOWNLOADS ?= never

.PHONY: check format test demo

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

# The wrapper makes itself a uv where there is none.
.uv/uv:
	./backhaul --help >/dev/null
