"""What the service consists of."""

from pathlib import Path

from .foundation.database import make_database
from .foundation.web import Application
from .handlers import CreateHandler, RootHandler
from .models import MODELS
from .seeding import seed
from .settings import Settings


def make_application(settings: Settings) -> Application:
    """Wire the service together. Nothing connects yet. Raises SettingsError."""
    return Application(
        settings,
        make_database(settings),
        distribution="{{ cookiecutter.project_slug | slugify }}",
        routes=[
            ("/", RootHandler),
            ("/create", CreateHandler),
        ],
        models=MODELS,
        migrations=Path(__file__).with_name("migrations"),
        seed=seed,
    )
