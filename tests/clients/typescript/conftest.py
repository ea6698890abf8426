"""Projects with the client in them, built once per worker."""

from pathlib import Path

import pytest

from tests.clients.sample import build_app
from tests.clients.typescript import node


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With the client as committed."""
    folder = node.new_project(tmp_path_factory.mktemp("typescript") / "project")
    node.install(folder)
    return folder


@pytest.fixture(scope="session")
def sample_project(project: Path) -> Path:
    """With the client generated for the small server of `sample.py` beside it."""
    node.install(project, "sample-client", build_app().openapi())
    return project
