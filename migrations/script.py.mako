"""${message}.

The previous release keeps running while this is applied: add before you use, stop using before you remove. A lock is waited
for five seconds at most (lock_timeout), so an index on a big table is created concurrently.
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
