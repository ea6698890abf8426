"""One Idempotency-Key, one effect: for twins at the same instant, and for a retry after the server died before it answered."""
