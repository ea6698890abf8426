"""Third-party reference data lies beside the repository (`../shared/data`) and is never part of it; where absent, skip."""

import json
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "standards"

needed = pytest.mark.skipif(not FOLDER.is_dir(), reason="reference data (../shared/data/standards) is not at hand")


def text(path: str) -> str:
    return (FOLDER / path).read_text(encoding="utf-8").strip()


def read(path: str) -> Any:
    return json.loads(text(path))
