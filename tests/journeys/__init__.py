import pytest

CHAPTERS = ("players", "selling", "moving", "settling", "proving", "accounts", "hearsay")
pytest.register_assert_rewrite(*(f"{__name__}.{chapter}" for chapter in CHAPTERS))
