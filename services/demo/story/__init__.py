"""The canonical story, chapter by chapter: selling, moving, settling, proving."""

from pathlib import Path

from services.demo.stage import Stage
from services.demo.story import moving, proving, selling, settling


def tell(stage: Stage, manifest: Path | None) -> None:
    """Plays it to the end. `manifest` is one more file of returned goods, imported and put on the market as a lot."""
    selling.tell(stage, manifest)
    moving.tell(stage)
    settling.tell(stage)
    proving.tell(stage)
