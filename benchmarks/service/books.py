"""What people add to the example, as the documentation has it: lists, a joined row, an update and a stream."""

import datetime
import uuid
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

from peewee import (
    AutoField,
    BooleanField,
    CharField,
    DateTimeField,
    DecimalField,
    ForeignKeyField,
    IntegerField,
    UUIDField,
)
from pydantic import BaseModel
from tornado.web import HTTPError

from .foundation.database import Model, compiled
from .foundation.web import Handler, Id, parse_argument, query_argument
from .handlers import NewRow, Row
from .models import TestNameModel


class Author(Model):
    id = AutoField()
    name = CharField()


class Book(Model):
    id = AutoField()
    author = ForeignKeyField(Author)
    title = CharField()
    pages = IntegerField()
    added = DateTimeField()
    price = DecimalField()
    in_print = BooleanField()
    code = UUIDField()


class Title(BaseModel):
    id: int
    title: str


class BookRow(BaseModel):
    id: int
    title: str
    pages: int
    added: datetime.datetime
    price: Decimal
    in_print: bool
    code: uuid.UUID


class AuthorRow(BaseModel):
    id: int
    name: str


class BookWithAuthor(BaseModel):
    id: int
    title: str
    author: AuthorRow


@compiled
def titles_after(id_: int) -> Any:
    return Book.select(Book.id, Book.title).where(Book.id > id_).order_by(Book.id).limit(100).dicts()


@compiled
def books_after(id_: int, most: int = 100) -> Any:
    columns = (Book.id, Book.title, Book.pages, Book.added, Book.price, Book.in_print, Book.code)
    return Book.select(*columns).where(Book.id > id_).order_by(Book.id).limit(most).dicts()


@compiled
def book_with_author(id_: int) -> Any:
    return Book.select(Book, Author).join(Author).where(Book.id == id_)


class NumberHandler(Handler):
    def number(self, name: str) -> int:
        return parse_argument(name, query_argument(self.request, name) or "", Id)


class TitlesHandler(NumberHandler):
    async def get(self) -> None:
        self.answer(list[Title], await titles_after(self.number("after")))


class BooksHandler(NumberHandler):
    async def get(self) -> None:
        self.answer(list[BookRow], await books_after(self.number("after")))


class BookHandler(NumberHandler):
    async def get(self) -> None:
        books = await book_with_author(self.number("id"))
        if not books:
            raise HTTPError(404)
        self.answer(BookWithAuthor, books[0])


class NameHandler(NumberHandler):
    async def put(self) -> None:
        obj = await TestNameModel.aio_get_or_none(id=self.number("id"))
        if obj is None:
            raise HTTPError(404)
        obj.name = NewRow.from_request(self.request).name
        await obj.aio_save()
        self.answer(Row, obj)


class ExportHandler(Handler):
    async def get(self) -> None:
        await self.answer_in_chunks(list[BookRow], self.chunks())

    async def chunks(self) -> AsyncIterator[Any]:
        after = 0
        while books := await books_after(after, 1000):
            yield books
            after = books[-1]["id"]


MODELS = (Author, Book)
ROUTES = (
    ("/titles", TitlesHandler),
    ("/books", BooksHandler),
    ("/book", BookHandler),
    ("/name", NameHandler),
    ("/export", ExportHandler),
)
