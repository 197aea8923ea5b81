"""A compiled query gives the same result as the query itself, or raises a TypeError."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from typing import Any

import peewee
import pytest
from peewee import SQL, AutoField, CharField, ForeignKeyField, IntegerField, JSONField, fn
from playhouse.postgres_ext import ArrayField, BinaryJSONField

from {{ cookiecutter.project_slug }}.foundation.database import Model, compiled
from {{ cookiecutter.project_slug }}.foundation.testing import Service

from .example import Item

numbers = itertools.count(1)

DOCUMENT = {"k": [1, "x"]}


class Author(Model):
    id = AutoField()
    name = CharField()

    class Meta:
        table_name = "test_compiled_author"


class Book(Model):
    id = AutoField()
    author = ForeignKeyField(Author)
    title = CharField()
    pages = IntegerField(null=True)
    notes = BinaryJSONField(null=True)
    tags = ArrayField(CharField, null=True)
    more = JSONField(null=True)
    number = IntegerField(default=lambda: next(numbers))

    class Meta:
        table_name = "test_compiled_book"


@pytest.fixture(autouse=True)
async def ada(service: Service) -> AsyncIterator[Author]:
    """An author with two books."""
    database = service.database
    with database.bind_ctx([Author, Book]):
        await database.aio_create_tables([Author, Book])
        author = await Author.aio_create(name="Ada")
        insert = Book.insert(author=author, title="Notes", pages=66, notes=DOCUMENT, more=DOCUMENT, tags=["a", "b"])
        await insert.aio_execute()
        await Book.aio_create(author=author, title="100%")
        yield author


def by_title(title: str) -> Any:
    return Book.select().where(Book.title == title)


def with_author(name: str, most: int = 10) -> Any:
    return Book.select(Book, Author).join(Author).where(Author.name == name).order_by(Book.id).limit(most).dicts()


def longer(least: int, title: str) -> Any:
    return Book.select(Book.title).where((Book.pages > least) | (fn.LOWER(Book.title) == fn.LOWER(title))).tuples()


def of_both(first: str, second: str) -> Any:
    return by_title(first) | by_title(second)


def by_author(author: Author) -> Any:
    return Book.select(fn.COUNT(Book.id)).where(Book.author == author).tuples()


def any_of_pages(pages: list[int]) -> Any:
    return Book.select().where(Book.pages << pages)


def without_pages(pages: int | None) -> Any:
    return Book.select().where(fn.COALESCE(Book.pages == pages, SQL("false")))


def retitled(old: str, new: str, pages: int | None) -> Any:
    return Book.update(title=new, pages=pages).where(Book.title == old)


def with_notes(notes: Any) -> Any:
    return Book.select().where((Book.notes == notes) & (Book.more == notes))


def notes_contain(part: Any) -> Any:
    return Book.select().where(Book.notes.contains(part) & Book.more.contains(part))


def notes_under_k(part: Any) -> Any:
    return Book.select().where(Book.notes["k"].contains(part) & (Book.more["k"] == part))


def with_key(key: str) -> Any:
    return Book.select().where(Book.notes[key].is_null(False) & Book.notes.contains_any(key) & Book.more.has_key(key))


def tagged(tag: str) -> Any:
    return Book.select().where(Book.tags.contains(tag))


def with_tags(tags: list[str]) -> Any:
    return Book.select().where(Book.tags == tags)


def described(notes: Any, tags: list[str]) -> Any:
    return Book.update(notes=notes, more=notes, tags=tags).where(Book.title == "Notes")


def without(title: str) -> Any:
    return Book.delete().where(Book.title == title)


@pytest.mark.parametrize(
    ("make", "arguments"),
    [
        (by_title, ["Notes"]),
        (by_title, ["none has it"]),
        (by_title, ["' OR 1=1 --"]),
        (by_title, [None]),
        (by_title, [fn.INITCAP("notes")]),
        (any_of_pages, [[66, 67]]),
        (any_of_pages, [range(60, 70)]),
        (without_pages, [None]),
        (any_of_pages, [[]]),
        (with_author, ["Ada"]),
        (with_author, ["Ada", 1]),
        (longer, [60, "NOTES"]),
        (of_both, ["Notes", "100%"]),
        (with_notes, [DOCUMENT]),
        (with_notes, [None]),
        (notes_contain, [{"k": [1]}]),
        (notes_under_k, [[1, "x"]]),
        (with_key, ["k"]),
        (tagged, ["a"]),
        (with_tags, [["a", "b"]]),
        (with_tags, [["b"]]),
        (described, [{"new": None}, ["c"]]),
        (described, [None, []]),
        (without, ["none has it"]),
        (retitled, ["Notes", "Notes", 67]),
        (retitled, ["Notes", "Notes", None]),
    ],
)
async def test_as_without_it(make: Callable[..., Any], arguments: list[Any]) -> None:
    execute = compiled(make)
    expected = await make(*arguments).aio_execute()
    for _ in range(2):
        assert await execute(*arguments) == expected


async def test_related_rows(ada: Author) -> None:
    assert await compiled(by_author)(ada) == [(2,)]


async def test_function_is_called_once() -> None:
    calls = []

    @compiled
    def made(title: str) -> Any:
        calls.append(title)
        return by_title(title)

    assert [book.title for title in ("Notes", "100%") for book in await made(title=title)] == ["Notes", "100%"]
    assert len(calls) == 1


async def test_defaults_are_called_for_each_insert(ada: Author) -> None:
    execute = compiled(lambda title: Book.insert(title=title, author=ada))
    ids = [await execute("a"), await execute("b")]
    a, b = await Book.select().where(Book.id << ids).order_by(Book.id).aio_execute()
    assert a.number + 1 == b.number


async def test_many_at_once() -> None:
    execute = compiled(by_title)
    found = await asyncio.gather(*(execute(title) for title in ["Notes", "100%"] * 20))
    assert [book.title for (book,) in found] == ["Notes", "100%"] * 20


@pytest.mark.parametrize(
    "make",
    [
        lambda title: by_title(title) if title else Book.select(),
        lambda title: by_title("Notes" if title == "Ada" else title),
        lambda title: Book.select().where(Book.title.contains(title)),
        lambda title: by_title(f"{title}"),
        lambda title: Book.select().where(Book.title << list(title)),
        lambda title: by_title(title.lower()),
        lambda title: Book.select().where(Book.more[title].is_null()),
        lambda title: Book.select().where(Book.tags[title] == "a"),
    ],
    ids=["if", "==", "contains", "f-string", "list", "method", "path", "index"],
)
async def test_sql_that_depends_on_a_value_is_refused(make: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match="'title'"):
        await compiled(make)("Notes")


@pytest.mark.parametrize("made", [None, Book, Author(name="Ada")])
async def test_what_is_no_query_is_refused(made: Any) -> None:
    with pytest.raises(TypeError, match="returns no query of a model"):
        await compiled(lambda: made)()


async def test_arguments_are_the_functions() -> None:
    with pytest.raises(TypeError, match="argument"):
        await compiled(by_title)()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="each argument needs a name"):
        compiled(lambda *titles: Book.select().where(Book.title << titles))


async def test_models_own_select_and_insert(ada: Author) -> None:
    class Numbered(Book):
        class Meta:
            table_name = "test_compiled_book"

        @classmethod
        def select(cls, *fields: Any) -> Any:
            return super().select(*fields).where(cls.number == current)

        @classmethod
        def insert(cls, *args: Any, **values: Any) -> Any:
            return super().insert(*args, **values | {"number": current})

    with Book._meta.database.bind_ctx([Numbered]):
        for current in (-1, -2):
            await Numbered.aio_create(author=ada, title="numbered")
            assert (await Numbered.aio_get(title="numbered")).number == current


async def test_models_own_update(ada: Author) -> None:
    class Numbered(Book):
        class Meta:
            table_name = "test_compiled_book"

        @classmethod
        def update(cls, *args: Any, **values: Any) -> Any:
            return super().update(*args, **values | {"number": current})

    with Book._meta.database.bind_ctx([Numbered]):
        book = await Numbered.aio_get(title="Notes")
        for current in (-1, -2):
            await book.aio_save()
            assert (await Numbered.aio_get(title="Notes")).number == current


async def test_common_queries_make_their_sql_once(
    service: Service, ada: Author, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def use(id_: int) -> None:
        for created in (True, False):
            book, is_new = await Book.aio_get_or_create(id=id_, defaults={"author": ada, "title": "by key"})
            assert is_new is created
        book.title = "saved"
        assert await book.aio_save() == 1
        assert (await Book.aio_get(id=id_)).title == "saved"

    await use(1000)
    monkeypatch.setattr(service.database, "get_sql_context", None)  # peewee asks it to make SQL
    await use(1001)


async def test_save(ada: Author) -> None:
    book = await Book.aio_get(title="Notes")
    book.title = "notes"
    book.pages = Book.pages + 1  # type: ignore[assignment]  # peewee takes an expression
    assert await book.aio_save() == 1
    assert await Book.select(Book.title, Book.pages).order_by(Book.id).tuples().aio_execute() == [
        ("notes", 67),
        ("100%", None),
    ]
    await Book.delete().aio_execute()
    assert await book.aio_save() == 0


async def test_save_of_a_key_alone(service: Service) -> None:
    class Mark(Model):
        id = AutoField()

        class Meta:
            table_name = "test_compiled_mark"

    with service.database.bind_ctx([Mark]):
        await service.database.aio_create_tables([Mark])
        mark = await Mark.aio_create(id=5)
        assert await Mark.aio_get_or_none(id=5) == mark
        with pytest.raises(ValueError, match="no data"):
            await mark.aio_save()


async def test_create_of_a_key_that_is_taken(ada: Author) -> None:
    with pytest.raises(peewee.IntegrityError):
        await Author.aio_create(id=ada.id, name="Bob")
    with pytest.raises(peewee.IntegrityError):
        await Item.aio_create(id=1, name="taken")


async def test_get_or_create_at_the_same_time() -> None:
    made = await asyncio.gather(*(Author.aio_get_or_create(id=9, defaults={"name": "Bob"}) for _ in range(20)))
    assert [author.name for author, _ in made] == ["Bob"] * 20
    assert sum(is_new for _, is_new in made) == 1


async def test_get_or_create_of_a_row_that_conflicts_with_another(ada: Author) -> None:
    with pytest.raises(peewee.IntegrityError):
        await Author.aio_get_or_create(name="Bob", defaults={"id": ada.id})


@pytest.mark.parametrize(
    "filters",
    [
        {"pages": None},
        {"title": fn.INITCAP("notes")},
        {"notes": {"a": [1]}},
        {"more": DOCUMENT},
        {"tags": ["a", "b"]},
        {"id": [1]},
    ],
)
async def test_get_by_values_with_sql_of_their_own(filters: dict[str, Any]) -> None:
    await Book.update(notes={"a": [1]}).aio_execute()
    found = await Book.aio_get(**filters)
    assert found == await Book.select().filter(**filters).aio_get()


async def test_get_by_what_is_no_field() -> None:
    assert (await Book.aio_get(author__name="Ada")).title in {"Notes", "100%"}
    with pytest.raises(Book.DoesNotExist):
        await Book.aio_get(author__name="Bob")


async def test_create_by_values_with_sql_of_their_own(ada: Author) -> None:
    created = await Book.aio_create(author=ada, title=fn.LOWER("NOTES"), notes={"a": [None]})
    book = await Book.aio_get(id=created.id)
    assert (book.title, book.notes) == ("notes", {"a": [None]})
