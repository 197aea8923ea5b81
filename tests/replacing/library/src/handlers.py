"""The requests of the library."""

import datetime
import uuid
from typing import Any

from peewee import fn
from pydantic import BaseModel, Field
from tornado.web import HTTPError

from .foundation.database import compiled
from .foundation.web import Handler, Id, RequestBody, operation, parse_argument, parse_id
from .models import Author, Book


class NewBook(RequestBody):
    author: Id
    title: str = Field(min_length=1, max_length=200)
    published: datetime.date | None = None
    tags: list[str] = []


class BookResponse(BaseModel):
    id: uuid.UUID
    author_id: Id
    title: str
    published: datetime.date | None
    tags: list[str]


class BookCounts(BaseModel):
    counts: dict[int, int]
    by_first: list[str]
    untagged: int


@compiled
def books_of(author: int) -> Any:
    columns = (Book.id, Book.author.alias("author_id"), Book.title, Book.published, Book.tags)
    return Book.select(*columns).where(Book.author == author).order_by(Book.title).dicts()


class AuthorBooksHandler(Handler):
    """The books of an author."""

    @operation(path={"id": Id}, responses={200: [list[BookResponse]]}, errors=[404, 503])
    async def get(self, id_: str) -> None:
        """List an author's books by title."""
        author = await Author.aio_get_or_none(id=parse_id(id_))
        if author is None:
            raise HTTPError(404, "There is no such author")
        self.answer(list[BookResponse], await books_of(author.id))


class BooksHandler(Handler):
    """All books."""

    @operation(responses={200: [BookCounts]}, errors=[503])
    async def get(self) -> None:
        """Count the books, in all and by author."""
        query = Book.select(Book.author, fn.COUNT(Book.id).alias("count")).group_by(Book.author)
        counts = {row["author"]: row["count"] for row in await query.dicts().aio_execute()}
        first = await Author.aio_get_or_none(Author.id == 1)
        by_first = sorted(str(book) for book in await first.books.aio_execute()) if first else []
        untagged = await Book.select().where(~Book.tags.contains("mathematics")).aio_count()
        self.answer(BookCounts, {"counts": counts, "by_first": by_first, "untagged": untagged})

    @operation(body=NewBook, responses={201: [BookResponse]}, errors=[409, 503])
    async def post(self) -> None:
        """Add a book; 409 when there is no such author."""
        book = await Book.aio_create(**NewBook.from_request(self.request).model_dump())
        self.set_status(201)
        self.set_header("Location", f"/books/{book.id}")
        self.answer(BookResponse, book)


class BookHandler(Handler):
    """One book."""

    @operation(path={"id": uuid.UUID}, responses={200: [BookResponse]}, errors=[404, 503])
    async def get(self, id_: str) -> None:
        """Get a book."""
        self.answer(BookResponse, await self.book(id_))

    @operation(path={"id": uuid.UUID}, responses={204: []}, errors=[404, 503])
    async def delete(self, id_: str) -> None:
        """Remove a book."""
        await (await self.book(id_)).aio_delete_instance()
        self.set_status(204)

    async def book(self, id_: str) -> Book:
        book = await Book.aio_get_or_none(id=parse_argument("id", id_, uuid.UUID))
        if book is None:
            raise HTTPError(404, "There is no such book")
        return book
