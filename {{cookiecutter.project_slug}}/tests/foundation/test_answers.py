"""Rows are answered as JSON of the type that `/openapi.json` shows: one row, a list, a joined row and a stream."""

import asyncio
import datetime
import gc
import json
import uuid
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from typing import Any

import peewee
import pytest
from peewee import (
    AutoField,
    BlobField,
    BooleanField,
    CharField,
    DateField,
    DateTimeField,
    DecimalField,
    FloatField,
    ForeignKeyField,
    TimeField,
    UUIDField,
)
from playhouse.postgres_ext import ArrayField, BinaryJSONField, DateTimeTZField, IntervalField
from pydantic import BaseModel, ConfigDict
from tornado.escape import json_decode
from tornado.http1connection import HTTP1Connection
from tornado.web import RequestHandler

from {{ cookiecutter.project_slug }}.foundation.database import Model, compiled
from {{ cookiecutter.project_slug }}.foundation.testing import Service
from {{ cookiecutter.project_slug }}.foundation.web import Handler, operation

from .support import connect, problem, until

BOOKS = 25
MOMENT = datetime.datetime(2026, 1, 2, 3, 4, 5, 678900)


class EuroField(DecimalField):
    """A field with a conversion of its own."""

    def python_value(self, value: Any) -> str:  # type: ignore[override]  # as peewee allows
        return f"{value} €"


class Author(Model):
    id = AutoField()
    name = CharField()

    class Meta:
        table_name = "test_answers_author"


class Book(Model):
    id = AutoField()
    author = ForeignKeyField(Author)
    title = CharField(null=True)
    weight = FloatField()
    price = DecimalField(max_digits=8, decimal_places=2)
    tax = EuroField(max_digits=8, decimal_places=2)
    in_print = BooleanField()
    code = UUIDField()
    cover = BlobField()
    published = DateField()
    opens = TimeField()
    added = DateTimeField()
    sold = DateTimeTZField()
    takes = IntervalField()
    tags = ArrayField(CharField)
    notes = BinaryJSONField()

    class Meta:
        table_name = "test_answers_book"


class BookRow(BaseModel):
    model_config = ConfigDict(ser_json_bytes="base64")

    id: int
    title: str | None
    weight: float
    price: Decimal
    tax: str
    in_print: bool
    code: uuid.UUID
    cover: bytes
    published: datetime.date
    opens: datetime.time
    added: datetime.datetime
    sold: datetime.datetime
    takes: datetime.timedelta
    tags: list[str]
    notes: dict[str, Any]


class AuthorRow(BaseModel):
    id: int
    name: str


class BookWithAuthor(BaseModel):
    id: int
    author: AuthorRow


@compiled
def books_after(id_: int, most: int = 10) -> Any:
    return Book.select().where(Book.id > id_).order_by(Book.id).limit(most).dicts()


@compiled
def with_author(id_: int) -> Any:
    return Book.select(Book.id, Author).join(Author).where(Book.id == id_)


async def all_books() -> AsyncIterator[list[dict[str, Any]]]:
    after = 0
    while books := await books_after(after):
        yield books
        after = books[-1]["id"]


class BookHandler(Handler):
    @operation(path={"id": int}, responses={200: [BookRow]})
    async def get(self, id_: str) -> None:
        """Get a book."""
        self.answer(BookRow, await Book.aio_get(id=int(id_)))


class BookWithAuthorHandler(Handler):
    @operation(path={"id": int}, responses={200: [BookWithAuthor]})
    async def get(self, id_: str) -> None:
        """Get a book and its author."""
        [book] = await with_author(int(id_))
        self.answer(BookWithAuthor, book)


class BooksHandler(Handler):
    @operation(responses={200: [list[BookRow]]})
    async def get(self) -> None:
        """List the first books."""
        self.answer(list[BookRow], await books_after(0))


class ExportHandler(Handler):
    def initialize(self, chunks: Callable[[], AsyncIterator[list[Any]]] = all_books) -> None:
        self.chunks = chunks

    @operation(responses={200: [list[BookRow]]})
    async def get(self) -> None:
        """List all books."""
        await self.answer_in_chunks(list[BookRow], self.chunks())


@pytest.fixture(autouse=True)
async def books(service: Service) -> AsyncIterator[None]:
    """An author with BOOKS books."""
    database = service.database
    routes: list[Any] = [
        (r"/books/(\d+)", BookHandler),
        (r"/books/(\d+)/author", BookWithAuthorHandler),
        ("/books", BooksHandler),
        ("/export", ExportHandler),
    ]
    service.application.wildcard_router.add_rules(routes)
    with database.bind_ctx([Author, Book]):
        await database.aio_create_tables([Author, Book])
        author = await Author.aio_create(name="Ada")
        for number in range(BOOKS):
            await Book.aio_create(
                author=author,
                title='</script>"Ñ🦤' if number else None,
                weight=0.1,
                price=Decimal("12.50"),
                tax=Decimal("0.30"),
                in_print=number % 2 == 0,
                code=uuid.UUID(int=number),
                cover=b"\0\xff",
                published=MOMENT.date(),
                opens=MOMENT.time(),
                added=MOMENT,
                sold=MOMENT.replace(tzinfo=datetime.UTC),
                takes=datetime.timedelta(days=1, seconds=2),
                tags=["a", "b"],
                notes={"a": [1, None]},
            )
        yield


def ids(body: bytes) -> list[int]:
    return [book["id"] for book in json.loads(body)]


async def test_row_has_the_types_of_json(service: Service) -> None:
    response = await service.get("/books/2")
    assert response.headers["Content-Type"] == "application/json"
    assert json_decode(response.body) == {
        "id": 2,
        "title": '</script>"Ñ🦤',
        "weight": 0.1,
        "price": "12.50",
        "tax": "0.30 €",
        "in_print": False,
        "code": "00000000-0000-0000-0000-000000000001",
        "cover": "AP8=",
        "published": "2026-01-02",
        "opens": "03:04:05.678900",
        "added": "2026-01-02T03:04:05.678900",
        "sold": "2026-01-02T03:04:05.678900Z",
        "takes": "P1DT2S",
        "tags": ["a", "b"],
        "notes": {"a": [1, None]},
    }


async def test_list_and_stream_have_the_types_of_the_row(service: Service) -> None:
    row = (await service.get("/books/2")).body
    for path in ("/books", "/export"):
        assert row in (await service.get(path)).body


async def test_list_is_what_the_type_has_and_no_more(service: Service) -> None:
    books = json_decode((await service.get("/books")).body)
    assert [book["id"] for book in books] == list(range(1, 11))
    assert books[0].keys() == BookRow.model_fields.keys()


async def test_empty_list(service: Service) -> None:
    await Book.delete().aio_execute()
    assert (await service.get("/books")).body == (await service.get("/export")).body == b"[]"


async def test_row_with_a_joined_row(service: Service) -> None:
    response = await service.get("/books/2/author")
    assert json_decode(response.body) == {"id": 2, "author": {"id": 1, "name": "Ada"}}


async def test_stream_has_all_rows(service: Service) -> None:
    response = await service.get("/export")
    assert response.headers["Content-Type"] == "application/json"
    assert ids(response.body) == list(range(1, BOOKS + 1))


async def test_head_of_a_stream_asks_for_one_chunk(service: Service) -> None:
    asked = []

    async def chunks() -> AsyncIterator[list[Any]]:
        async for books in all_books():
            asked.append(len(books))
            yield books

    service.application.add_handlers(".*", [("/head", ExportHandler, {"chunks": chunks})])
    _, writer = await connect(service.address)
    writer.write(b"HEAD /head HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: bool(asked))
    await service.application.in_flight.wait_for_end()
    assert asked == [10]
    writer.close()


async def test_stream_waits_for_a_slow_client_without_a_connection(service: Service) -> None:
    asked = []

    async def chunks() -> AsyncIterator[list[Any]]:
        while True:
            asked.append(1)
            yield (await books_after(0)) * 100

    writer = await begin_until_stuck(service, chunks)
    before = len(asked)
    await books_after(0)
    assert (len(asked), service.database.pool_backend.in_use) == (before, 0)
    writer.close()
    await service.application.in_flight.wait_for_end()


async def begin_until_stuck(service: Service, chunks: Callable[[], AsyncIterator[list[Any]]]) -> asyncio.StreamWriter:
    """Ask for an endless stream, and read nothing of it."""
    service.application.add_handlers(".*", [("/endless", ExportHandler, {"chunks": chunks})])
    _, writer = await connect(service.address)
    writer.write(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
    await until(lambda: any(map(is_stuck, service.application.in_flight)))
    return writer


def is_stuck(handler: RequestHandler) -> bool:
    """Return whether the connection's sockets are full."""
    connection = handler.request.connection
    assert isinstance(connection, HTTP1Connection)
    return connection.stream.writing()


async def test_stream_that_fails_at_once_is_a_problem(service: Service) -> None:
    async def chunks() -> AsyncIterator[list[Any]]:
        raise peewee.OperationalError("the server doesn't answer")
        yield

    service.application.add_handlers(".*", [("/fails", ExportHandler, {"chunks": chunks})])
    assert problem(await service.get("/fails"))["status"] == 503


async def test_row_that_is_not_of_the_type_is_a_bug(service: Service) -> None:
    class Wrong(Handler):
        async def get(self) -> None:
            self.answer(list[BookRow], [{"id": 1}])

    service.application.add_handlers(".*", [("/wrong", Wrong)])
    assert problem(await service.get("/wrong"))["status"] == 500


async def test_description_shows_the_list(service: Service) -> None:
    description = json_decode((await service.get("/openapi.json")).body)
    for path in ("/books", "/export"):
        answer = description["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert answer == {"type": "array", "items": {"$ref": "#/components/schemas/BookRow"}}


async def test_stream_of_a_client_that_leaves_ends_its_transaction(service: Service) -> None:
    async def chunks() -> AsyncIterator[list[Any]]:
        async with service.database.aio_atomic():
            while True:
                yield (await books_after(0)) * 100

    writer = await begin_until_stuck(service, chunks)
    assert service.database.pool_backend.in_use == 1
    gc.disable()  # which would end it as well, some day
    try:
        writer.close()
        await service.application.in_flight.wait_for_end()
        await until(lambda: service.database.pool_backend.in_use == 0)
    finally:
        gc.enable()
