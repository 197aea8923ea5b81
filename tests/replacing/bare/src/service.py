"""A service without rows."""

from pathlib import Path

from .foundation.database import make_database
from .foundation.web import Application
from .handlers import EchoHandler
from .models import MODELS
from .settings import Settings


def make_application(settings: Settings) -> Application:
    return Application(
        settings,
        make_database(settings),
        distribution="name-service",
        routes=[("/", EchoHandler)],
        models=MODELS,
        migrations=Path(__file__).with_name("migrations"),
    )
