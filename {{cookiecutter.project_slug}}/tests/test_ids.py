"""Rows with explicit ids and rows with ids of the sequence never clash."""

import asyncio

import pytest
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}

from .service import FORM, Service


async def test_first_rows_after_seeding(service: Service) -> None:
    created = [await service.post("/", "name=a", FORM) for _ in range(5)]
    assert [json_decode(response.body)["id"] for response in created] == [4, 5, 6, 7, 8]


@pytest.mark.parametrize("taken_first", [[], [2**31 - 1]], ids=["", "after the greatest id was taken"])
async def test_both_at_the_same_time(service: Service, taken_first: list[int]) -> None:
    for id_ in taken_first:
        assert (await service.get(f"/create?id={id_}")).code == 200
    requests = [service.post("/", "name=a", FORM) if i % 2 else service.get(f"/create?id={i}") for i in range(1, 401)]
    responses = await asyncio.gather(*requests)
    assert {response.code for response in responses} == {200, 201}
    ids = [json_decode(response.body)["id"] for response in responses if response.code == 201]
    assert len(set(ids)) == 200


async def test_a_run_of_taken_ids_is_skipped(service: Service) -> None:
    await asyncio.gather(*(service.get(f"/create?id={id_}") for id_ in range(4, 100)))
    response = await service.post("/", "name=a", FORM)
    assert json_decode(response.body)["id"] == 100


async def test_sequence_does_not_skip_ids_that_are_free(service: Service) -> None:
    """Who missed three times may find what was in the way rolled back; the greatest id is not where to go then."""
    await service.get(f"/create?id={2**31 - 1}")
    await {{ cookiecutter.model_name }}._skip_taken_ids("id")
    response = await service.post("/", "name=a", FORM)
    assert json_decode(response.body)["id"] == 4
