"""Bad input is refused with the reason, and creates nothing."""

import pytest
from tornado.escape import json_decode

from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}

IDS = ["abc", "0", "-1", "01", "1.5", "1e3", "1_0", "%201", "%D9%A3", "%00", "2147483648", "1&id=2", "%ff"]
FORMS = ["", "name=", "other=a", "name=a&name=b", "name=a&other=b", f"name={'x' * 256}", "name=%00", "name=%ff"]
DOCUMENTS = [
    "",
    "{",
    "[]",
    "{}",
    '{"name": null}',
    '{"name": 1}',
    '{"name": ""}',
    '{"name": "a", "id": 1}',
    '{"name": "a", "a\\nforged line": 1}',
    '{"name": "\\u0000"}',
    '{"name": "\\ud800"}',
    b'{"name": "\xff"}',
]


@pytest.mark.parametrize("path", ["/", "/create"])
async def test_ids(service: Service, path: str) -> None:
    for given in IDS:
        response = await service.get(f"{path}?id={given}")
        assert response.code == 400, given
        assert json_decode(response.body)["detail"].startswith("id: "), given


@pytest.mark.parametrize("query", ["", "?id="])
async def test_create_needs_an_id(service: Service, query: str) -> None:
    response = await service.get(f"/create{query}")
    assert response.code == 400
    assert json_decode(response.body)["detail"] == "id: the argument is missing, e.g. /create?id=100"


@pytest.mark.parametrize(
    ("content_type", "bodies"),
    [("application/x-www-form-urlencoded", FORMS), ("application/json", DOCUMENTS)],
)
async def test_bodies(service: Service, content_type: str, bodies: list[str | bytes]) -> None:
    for body in bodies:
        response = await service.post("/", body=body, headers={"Content-Type": content_type})
        assert response.code == 400, body
        assert "\n" not in json_decode(response.body)["detail"], body
    assert await {{ cookiecutter.model_name }}.select().aio_count() == 3


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_content_type(service: Service, headers: dict[str, str]) -> None:
    response = await service.post("/", body='{"name": "a"}', headers=headers)
    assert response.code == 415
