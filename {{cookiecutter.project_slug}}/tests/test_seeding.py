"""The first rows are there, once."""

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}
from {{ cookiecutter.project_slug }}.seeding import seed

SEEDS = {id_: f"{{ cookiecutter.model_name }} id={id_}" for id_ in (1, 2, 3)}


async def rows() -> dict[int, str]:
    return {row.id: row.name for row in await {{ cookiecutter.model_name }}.select().aio_execute()}


async def test_first_rows(service: Service) -> None:
    assert await rows() == SEEDS


async def test_first_id_after_the_first_rows(service: Service) -> None:
    created = await {{ cookiecutter.model_name }}.aio_create(name="a")
    assert created.id == 4


async def test_seeding_again_restores_missing_rows_only(service: Service) -> None:
    await (await {{ cookiecutter.model_name }}.aio_get(id=1)).aio_delete_instance()
    renamed = await {{ cookiecutter.model_name }}.aio_get(id=2)
    renamed.name = "renamed"
    await renamed.aio_save()
    seed(service.database)
    assert await rows() == {**SEEDS, 2: "renamed"}
