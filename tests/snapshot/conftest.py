"""What the tests of golden files share."""

import pytest

from tests.snapshot.project import Project, make_project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project of somebody else's, in an empty folder."""
    return make_project(pytester, monkeypatch)
