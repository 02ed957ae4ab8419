"""What the tests of the plugin share: a project of somebody else, far from CI and from settings of ours."""

import pytest

from playhead.plugin.settings import SETTINGS
from tests.plugin.projects import Project


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return a project with no tests yet."""
    for variable in ("CI", "PYTEST_ADDOPTS", *(setting.variable for setting in SETTINGS)):
        monkeypatch.delenv(variable, raising=False)
    # A home that is nobody's: the one that pytester sets is a folder of this run.
    monkeypatch.setenv("HOME", "/home/nobody")
    return Project(pytester)
