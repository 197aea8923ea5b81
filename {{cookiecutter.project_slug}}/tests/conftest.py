"""The service that is tested. The fixtures are described in `foundation/testing.py`."""

import pytest

from {{ cookiecutter.project_slug }} import service as service_module
from {{ cookiecutter.project_slug }}.foundation.testing import MakeApplication
from {{ cookiecutter.project_slug }}.settings import Settings


@pytest.fixture(scope="session")
def make_application() -> MakeApplication:
    return service_module.make_application


@pytest.fixture(scope="session")
def settings_class() -> type[Settings]:
    return Settings
