"""Books are added, listed, read and removed."""

import uuid

from tornado.escape import json_decode

from name_service.foundation.testing import Service

NOTES = {"author": 1, "title": "Notes", "published": "1843-09-01", "tags": ["mathematics"]}


async def test_book_is_added_and_listed(service: Service) -> None:
    added = json_decode((await service.post("/books", json=NOTES)).body)
    listed = json_decode((await service.get("/authors/1/books")).body)
    assert listed == [added]
    assert added.pop("author_id") == NOTES["author"]
    assert NOTES | added == NOTES | {"id": added["id"]}


async def test_book_is_read_and_removed(service: Service) -> None:
    path = (await service.post("/books", json=NOTES)).headers["Location"]
    assert (await service.get(path)).code == 200
    assert (await service.delete(path)).code == 204
    assert (await service.get(path)).code == 404


async def test_books_are_counted(service: Service) -> None:
    for title, tags in (("Notes", ["mathematics", "engines"]), ("Letters", [])):
        await service.post("/books", json={"author": 1, "title": title, "tags": tags})
    counted = json_decode((await service.get("/books")).body)
    assert counted == {"counts": {"1": 2}, "by_first": ["Letters by author 1", "Notes by author 1"], "untagged": 1}


async def test_bad_input(service: Service) -> None:
    assert (await service.post("/books", json=NOTES | {"author": 2})).code == 409
    assert (await service.post("/books", json=NOTES | {"published": "today"})).code == 400
    assert (await service.get("/authors/x/books")).code == 400
    assert (await service.get("/books/x")).code == 400
    assert (await service.get(f"/books/{uuid.uuid4()}")).code == 404
