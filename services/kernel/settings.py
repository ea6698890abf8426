"""Settings from the environment. `DATABASE_URL` unset means the embedded PostgreSQL."""

from functools import cached_property
from pathlib import Path

import platformdirs
from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="BACKHAUL_", extra="ignore")

    database_url: str | None = Field(default=None, validation_alias=AliasChoices("DATABASE_URL", "database_url"))
    """As the role backhaul_app, `postgresql+asyncpg://…`."""
    database_owner_url: str | None = Field(
        default=None, validation_alias=AliasChoices("DATABASE_OWNER_URL", "database_owner_url")
    )
    """As the role backhaul_owner: migrations alone use it."""
    data_dir: Path = Field(default_factory=lambda: platformdirs.user_data_path("backhaul"))
    public_url: str = "http://localhost:8000"
    """What partners and certificates call us: its host is in every did:web id."""
    stripe_secret_key: str | None = None
    stripe_api_base: str | None = None
    """Where the Stripe simulator listens; unset with a real key."""
    stripe_webhook_secrets: list[str] = Field(default_factory=list)
    is_live: bool = False
    """Whether live keys are served; needs a live Stripe key."""
    allow_loopback_webhooks: bool = False
    """Endpoints on this machine are refused unless a sandbox says otherwise."""
    rate_limit: str = "600/minute"
    """Requests of one organization to one process; empty or 0 means no limits at all."""
    anonymous_rate_limit: str = "120/minute"
    """Requests of one address without a valid credential."""
    metrics: bool = True
    """Whether GET /metrics answers."""
    log_level: str = "INFO"
    pool_size: int = 20

    @property
    def moves_real_money(self) -> bool:
        """Whether the Stripe key is a live one: what the provider tells is of its key's environment."""
        return (self.stripe_secret_key or "").startswith(("sk_live_", "rk_live_"))

    @cached_property
    def base_url(self) -> str:
        """Where links lead; identifiers (did:web, credential ids) are https by definition and use `host`."""
        return self.public_url.rstrip("/")

    @cached_property
    def host(self) -> str:
        return self.public_url.split("://", 1)[1].rstrip("/")
