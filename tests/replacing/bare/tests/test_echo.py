"""The text comes back."""

from name_service.foundation.testing import Service


async def test_echo(service: Service) -> None:
    response = await service.get("/?text=hello")
    assert (response.code, response.body) == (200, b"hello")


async def test_no_text(service: Service) -> None:
    assert (await service.get("/")).code == 400
