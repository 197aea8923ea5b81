"""What holds for any service: models and migrations agree, and routes and settings are described."""

import re
from pathlib import Path

from tornado.web import RequestHandler, StaticFileHandler

from {{ cookiecutter.project_slug }}.foundation.migrations import difference, migrate, status
from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import document, operation_of
from {{ cookiecutter.project_slug }}.service import make_application
from {{ cookiecutter.project_slug }}.settings import Settings

ENV_EXAMPLE = Path(__file__).parent.parent / ".env.example"


def test_models_and_migrations_agree(settings: Settings) -> None:
    application = make_application(settings)
    up, down = difference(application.database, application.models, application.migrations)
    assert (up, down) == ([], []), "a model was changed: `migrate --new NAME` writes the migration"


def test_migrations_go_forward_and_back(settings: Settings) -> None:
    application = make_application(settings)
    database, folder = application.database, application.migrations
    for target in (None, 0, None):
        migrate(database, folder, target)
        applied = [": applied " in line for line in status(database, folder)]
        assert applied == [target is None] * len(applied)


async def test_each_route_is_described(service: Service) -> None:
    """A method without a description needs `@operation(…)`, and a docstring."""
    assert document(service.application)
    for rule in service.application.wildcard_router.rules:
        for method in ("get", "post", "put", "patch", "delete"):
            function = getattr(rule.target, method)
            if function is not getattr(RequestHandler, method) and not issubclass(rule.target, StaticFileHandler):
                assert operation_of(rule.target, method), f"{rule.target.__name__}.{method} has no @operation"
                assert function.__doc__, f"{rule.target.__name__}.{method} has no docstring"


def test_env_example_has_each_setting() -> None:
    described = set(re.findall(r"^# .+\n([A-Z_0-9]+)=", ENV_EXAMPLE.read_text(), re.MULTILINE))
    settings = {name.upper() for name in Settings.model_fields}
    missing, unknown = ", ".join(sorted(settings - described)), ", ".join(sorted(described - settings))
    assert not missing, f".env.example lacks {missing}: add a line `NAME=` for each, below a comment that explains it"
    assert not unknown, f".env.example has {unknown}: no field of Settings has that name"
