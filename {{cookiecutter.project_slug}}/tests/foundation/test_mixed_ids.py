"""The sequence finds a free id beside those that clients chose."""

import pytest
from peewee import BigAutoField, CharField

from {{ cookiecutter.project_slug }}.foundation.database import MixedIdModel
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import Item
from .support import insert

GREATEST_ID = 2**31 - 1
GREATEST_BIGINT = 2**63 - 1


class BigItem(MixedIdModel):
    id = BigAutoField()
    name = CharField()


@pytest.fixture
def service(service: Service) -> Service:
    service.database.bind([BigItem])
    with service.database.allow_sync():
        BigItem.create_table()
    return service


async def test_run_of_taken_ids_is_skipped(service: Service) -> None:
    """Longer than the attempts."""
    for id_ in range(4, 50):
        await insert(id_)
    assert (await Item.aio_create(name="a")).id == 50


async def test_free_ids_are_not_skipped(service: Service) -> None:
    """Not those before the greatest id, after which the sequence would have none, and not a gap."""
    await insert(GREATEST_ID)
    assert (await Item.aio_create(name="a")).id == 4
    for id_ in (5, 6, 7, 8, 10):
        await insert(id_)
    assert (await Item.aio_create(name="a")).id == 9


async def test_greatest_id_of_a_bigint(service: Service) -> None:
    await BigItem.aio_create(id=GREATEST_BIGINT, name="a")
    for id_ in (1, 2, 3, 4):
        await BigItem.aio_create(id=id_, name="a")
    assert (await BigItem.aio_create(name="a")).id == 5
