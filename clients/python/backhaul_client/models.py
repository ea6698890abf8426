"""What the API answers, and the TypedDicts (`…Param`) of what it is sent."""

from ._generated.models import *  # noqa: F403
