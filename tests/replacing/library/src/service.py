"""The library."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from .foundation.database import make_database
from .foundation.web import Application
from .handlers import AuthorBooksHandler, BookHandler, BooksHandler
from .models import MODELS
from .seeding import seed
from .settings import Settings


@asynccontextmanager
async def lifespan(application: Application) -> AsyncIterator[None]:
    application.settings["is_open"] = True
    yield
    application.settings["is_open"] = False


def make_application(settings: Settings) -> Application:
    return Application(
        settings,
        make_database(settings),
        distribution="name-service",
        routes=[
            ("/authors/([^/]+)/books", AuthorBooksHandler),
            ("/books", BooksHandler),
            ("/books/([^/]+)", BookHandler),
        ],
        models=MODELS,
        migrations=Path(__file__).with_name("migrations"),
        seed=seed,
        lifespan=lifespan,
        opening_hours=settings.opening_hours,
    )
