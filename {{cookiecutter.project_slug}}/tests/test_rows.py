"""Rows are created and fetched."""

from urllib.parse import urlencode

import pytest
from tornado.escape import json_decode

from .service import FORM, Service, problem


async def test_get_by_id(service: Service) -> None:
    response = await service.get("/?id=1")
    assert response.code == 200
    assert json_decode(response.body) == {"id": 1, "name": "{{ cookiecutter.model_name }} id=1"}


@pytest.mark.parametrize("path", ["/", "/?id=", "/?other=1"])
async def test_get_without_id_answers_a_hint(service: Service, path: str) -> None:
    response = await service.get(path)
    assert (response.code, response.body) == (200, b"Please provide the 'id' query argument, i.e. ?id=1")
    assert response.headers["Content-Type"].startswith("text/plain")


async def test_get_of_no_row(service: Service) -> None:
    response = await service.get("/?id=4")
    assert response.code == 404
    assert problem(response)["detail"] == "Object not found!"


MULTIPART = '--x\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda Lovelace\r\n--x--\r\n'


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        (FORM, "name=Ada+Lovelace"),
        ("multipart/form-data; boundary=x", MULTIPART),
        ("application/json", '{"name": "Ada Lovelace"}'),
        ("Application/JSON; charset=utf-8", '{"name": "Ada Lovelace"}'),
    ],
)
async def test_post(service: Service, content_type: str, body: str) -> None:
    response = await service.post("/", body, content_type)
    assert response.code == 201
    assert json_decode(response.body) == {"id": 4, "name": "Ada Lovelace"}
    fetched = await service.get(response.headers["Location"])
    assert fetched.body == response.body


@pytest.mark.parametrize("name", ["a", "x" * 255, " ", "\t\n", "'; --", "{% raw %}{{ 7 }}{% endraw %}", "Ñandú 🦤", "\u202e", "null"])
async def test_name_comes_back_as_it_was_sent(service: Service, name: str) -> None:
    as_form = await service.post("/", urlencode({"name": name}), FORM)
    assert (as_form.code, json_decode(as_form.body)["name"]) == (201, name)
    fetched = await service.get(as_form.headers["Location"])
    assert json_decode(fetched.body)["name"] == name


@pytest.mark.parametrize(
    "path", ["/", "/?id=1", "/?id=4", "/create?id=1", "/healthz", "/readyz", "/openapi.json", "/docs", "/docs/docs.js"]
)
async def test_head_answers_as_get_without_the_body(service: Service, path: str) -> None:
    got, headed = await service.get(path), await service.get(path, method="HEAD")
    assert (headed.code, headed.body) == (got.code, b"")
    assert headed.headers["Content-Type"] == got.headers["Content-Type"]
