"""Rows are created and fetched."""

from urllib.parse import quote

import pytest
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.testing import Service

NAMES = ["a", "x" * 255, " ", "\t\n", "'; --", "{% raw %}{{ 7 }}{% endraw %}", "Ñandú 🦤", "\u202e", "null"]


async def test_get_by_id(service: Service) -> None:
    response = await service.get("/?id=1")
    assert response.code == 200
    assert json_decode(response.body) == {"id": 1, "name": "{{ cookiecutter.model_name }} id=1"}


@pytest.mark.parametrize("path", ["/", "/?id=", "/?other=1"])
async def test_get_without_id_answers_a_hint(service: Service, path: str) -> None:
    response = await service.get(path)
    assert (response.code, response.body) == (200, b"Please provide the 'id' query argument, i.e. ?id=1")
    assert response.headers["Content-Type"].startswith("text/plain")


async def test_get_of_a_row_that_is_not_there(service: Service) -> None:
    response = await service.get("/?id=4")
    assert response.code == 404
    assert json_decode(response.body)["detail"] == "Object not found!"


async def test_post_of_a_form(service: Service) -> None:
    response = await service.post("/", form={"name": "Ada Lovelace"})
    assert response.code == 201
    assert json_decode(response.body) == {"id": 4, "name": "Ada Lovelace"}


async def test_post_of_json(service: Service) -> None:
    response = await service.post("/", json={"name": "Ada Lovelace"})
    assert response.code == 201
    fetched = await service.get(response.headers["Location"])
    assert fetched.body == response.body


@pytest.mark.parametrize("name", NAMES)
async def test_name_comes_back_as_it_was_sent(service: Service, name: str) -> None:
    response = await service.post("/", body=f"name={quote(name)}")
    fetched = await service.get(response.headers["Location"])
    assert json_decode(fetched.body)["name"] == name


async def test_openapi_describes_the_body(service: Service) -> None:
    description = json_decode((await service.get("/openapi.json")).body)
    post = description["paths"]["/"]["post"]
    assert post["responses"].keys() == {"201", "400", "403", "405", "413", "415", "500", "503"}
    assert description["components"]["schemas"]["NewRow"]["properties"]["name"]["maxLength"] == 255
