"""What can go wrong between us and the embedded PostgreSQL."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL could not do what it was asked; the message says why and what to change."""
