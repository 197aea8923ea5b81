"""`/create` gets or creates a row inside a transaction, in a task of its own."""

import asyncio
from typing import Any, NoReturn

import pytest
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}

GREATEST_ID = 2**31 - 1


async def test_gets_or_creates(service: Service) -> None:
    created, got = [json_decode((await service.get("/create?id=100")).body) for _ in range(2)]
    assert created["obj"] == got["obj"] == "{{ cookiecutter.model_name }} id=100"
    assert json_decode((await service.get("/?id=100")).body) == {"id": 100, "name": created["obj"]}


async def test_tells_the_truth_about_its_tasks(service: Service) -> None:
    tasks = json_decode((await service.get("/create?id=1")).body)
    assert tasks["task1"] not in (None, tasks["task2"])
    assert "not null" in tasks["text"]


async def test_is_inside_a_transaction(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def create_and_fail(**row: Any) -> NoReturn:
        await {{ cookiecutter.model_name }}.aio_create(id=row["id"], name="a row")
        raise RuntimeError

    monkeypatch.setattr({{ cookiecutter.model_name }}, "aio_get_or_create", create_and_fail)
    assert (await service.get("/create?id=100")).code == 500
    assert await {{ cookiecutter.model_name }}.aio_get_or_none(id=100) is None


@pytest.mark.parametrize("taken", [[], [GREATEST_ID]], ids=["", "after the greatest id was taken"])
async def test_ids_of_both_kinds_never_clash(service: Service, taken: list[int]) -> None:
    for id_ in taken:
        await service.get(f"/create?id={id_}")
    posts = [service.post("/", form={"name": "a"}) for _ in range(50)]
    creates = [service.get(f"/create?id={id_}") for id_ in range(1, 51)]
    responses = await asyncio.gather(*posts, *creates)
    assert {response.code for response in responses} == {200, 201}
    ids = [json_decode(response.body)["id"] for response in responses if response.code == 201]
    assert len(set(ids)) == len(posts)
