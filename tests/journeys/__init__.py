import pytest

CHAPTERS = ("players", "selling", "moving", "settling", "proving", "one_lot", "accounts", "hearsay")
pytest.register_assert_rewrite(*(f"{__name__}.{chapter}" for chapter in CHAPTERS))
