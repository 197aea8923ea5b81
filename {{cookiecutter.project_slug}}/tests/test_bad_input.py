"""Bad input is refused with what was wrong, and nothing is created."""

import pytest

from {{ cookiecutter.project_slug }}.models import {{ cookiecutter.model_name }}

from .service import FORM, Service, problem

IDS = ["abc", "0", "-1", "+1", "01", "1.5", "1e3", "0x1", "1_0", "%201", "1%20", "%D9%A3", "%00", "2147483648"]
PART = "--x\r\nContent-Disposition: form-data; name="
FILE = f"{PART}name\r\n\r\na\r\n{PART}file; filename=f\r\n\r\nb\r\n--x--\r\n"
BODIES = [
    (FORM, ""),
    (FORM, "name="),
    (FORM, "other=a"),
    (FORM, "name=a&name=b"),
    (FORM, "name=a&other=b"),
    (FORM, f"name={'x' * 256}"),
    (FORM, "name=%00"),
    (FORM, "name=%ff"),
    (FORM, "name=%ED%A0%80"),
    ("multipart/form-data", "no boundary"),
    ("multipart/form-data; boundary=x", FILE),
    ("application/json", ""),
    ("application/json", "{"),
    ("application/json", "[]"),
    ("application/json", '"name"'),
    ("application/json", "{}"),
    ("application/json", '{"name": null}'),
    ("application/json", '{"name": 1}'),
    ("application/json", '{"name": ""}'),
    ("application/json", '{"name": "a", "id": 1}'),
    ("application/json", '{"a\\nforged line": 1}'),
    ("application/json", '{"name": "\\u0000"}'),
    ("application/json", '{"name": "\\ud800"}'),
    ("application/json", b'{"name": "\xff"}'),
    ("application/json", '{"name": "' + "x" * 256 + '"}'),
]


@pytest.mark.parametrize("path", ["/", "/create"])
@pytest.mark.parametrize("given", IDS)
async def test_ids(service: Service, path: str, given: str) -> None:
    response = await service.get(f"{path}?id={given}")
    assert response.code == 400
    assert "from 1 to 2147483647" in problem(response)["detail"]


@pytest.mark.parametrize("query", ["", "?id=", "?id=1&id=2", "?id=%ff"])
async def test_create_wants_one_id(service: Service, query: str) -> None:
    response = await service.get(f"/create{query}")
    assert response.code == 400
    assert problem(response)["detail"].startswith("id: ")


@pytest.mark.parametrize(("content_type", "body"), BODIES)
async def test_bodies(service: Service, content_type: str, body: str | bytes) -> None:
    response = await service.post("/", body, content_type)
    assert response.code == 400
    assert "\n" not in problem(response)["detail"]
    assert await {{ cookiecutter.model_name }}.select().aio_count() == 3


@pytest.mark.parametrize("content_type", ["text/plain", "application/jsonx", "application/json; charset=latin-1"])
async def test_content_types(service: Service, content_type: str) -> None:
    response = await service.post("/", '{"name": "a"}', content_type)
    assert response.code == 415
    assert problem(response)["detail"].startswith("The body may be ")


async def test_encoded_body(service: Service) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    response = await service.get("/", method="POST", body='{"name": "a"}', headers=headers)
    assert response.code == 415
    problem(response)
