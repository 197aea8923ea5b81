"""Seeding is idempotent, and safe when several replicas start together."""

import asyncio

from {{ cookiecutter.project_slug }} import seeding
from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}
from {{ cookiecutter.project_slug }}.settings import Settings

from .service import Service, run, serve_for_test

SEEDS = {id_: f"{{ cookiecutter.model_name }} id={id_}" for id_ in (1, 2, 3)}


async def rows() -> dict[int, str]:
    return {row.id: row.name for row in await {{ cookiecutter.model_name }}.select().aio_execute()}


async def test_first_rows(service: Service) -> None:
    assert await rows() == SEEDS


async def test_twice(service: Service) -> None:
    deleted = await {{ cookiecutter.model_name }}.aio_get(id=1)
    await deleted.aio_delete_instance()
    renamed = await {{ cookiecutter.model_name }}.aio_get(id=2)
    renamed.name = "renamed"
    await renamed.aio_save()
    seeding.seed(service.application.database)
    assert await rows() == {**SEEDS, 2: "renamed"}


async def test_not_wanted(settings: Settings) -> None:
    async with serve_for_test(settings.model_copy(update={"seed": False})):
        assert await rows() == {}


async def test_several_replicas_at_once(settings: Settings) -> None:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    assert (await run("migrate", DATABASE_URL=url))[0] == 0
    assert await asyncio.gather(*(run("seed", DATABASE_URL=url) for _ in range(2))) == [(0, "")] * 2
    async with serve_for_test(settings.model_copy(update={"migrate": False, "seed": False})):
        assert await rows() == SEEDS
