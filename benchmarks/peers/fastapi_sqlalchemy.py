# /// script
# requires-python = ">=3.11"
# dependencies = ["fastapi[standard]>=0.120", "sqlalchemy[asyncio]>=2.0.40,<2.1", "asyncpg>=0.30"]
# ///
"""FastAPI, SQLAlchemy's asyncio and asyncpg: what people pick today, as their documentation puts them together."""

import datetime
import os
import uuid
from collections.abc import AsyncIterator, Sequence
from decimal import Decimal
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import ForeignKey, Numeric, String, select
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, joinedload, load_only, mapped_column, relationship

URL = os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+asyncpg://")

engine = create_async_engine(URL, pool_size=10, max_overflow=0)
new_session = async_sessionmaker(engine, expire_on_commit=False)
application = FastAPI()


class Base(DeclarativeBase):
    pass


class TestNameModel(Base):
    __tablename__ = "testnamemodel"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))


class Author(Base):
    __tablename__ = "author"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))


class Book(Base):
    __tablename__ = "book"

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    author: Mapped[Author] = relationship()
    title: Mapped[str] = mapped_column(String(255))
    pages: Mapped[int]
    added: Mapped[datetime.datetime]
    price: Mapped[Decimal] = mapped_column(Numeric(8, 2))
    in_print: Mapped[bool]
    code: Mapped[uuid.UUID]


class NewRow(BaseModel):
    name: str = Field(min_length=1, max_length=255)


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


class Title(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str


class BookRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    pages: int
    added: datetime.datetime
    price: Decimal
    in_print: bool
    code: uuid.UUID


class AuthorRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


class BookWithAuthor(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    title: str
    author: AuthorRow


async def session() -> AsyncIterator[AsyncSession]:
    async with new_session() as session:
        yield session


Session = Annotated[AsyncSession, Depends(session)]


@application.get("/")
async def get(id: int, session: Session) -> Row:  # noqa: A002  # what the parameter is called
    row = await session.get(TestNameModel, id)
    if row is None:
        raise HTTPException(404)
    return Row.model_validate(row)


@application.post("/", status_code=201)
async def post(new: NewRow, session: Session) -> Row:
    row = TestNameModel(name=new.name)
    session.add(row)
    await session.commit()
    return Row.model_validate(row)


@application.put("/name")
async def put(id: int, new: NewRow, session: Session) -> Row:  # noqa: A002  # what the parameter is called
    row = await session.get(TestNameModel, id)
    if row is None:
        raise HTTPException(404)
    row.name = new.name
    await session.commit()
    return Row.model_validate(row)


@application.get("/create")
async def create(id: int, session: Session) -> Row:  # noqa: A002  # what the parameter is called
    async with session.begin():
        row = await session.get(TestNameModel, id)
        if row is None:
            row = TestNameModel(id=id, name=f"TestNameModel id={id}")
            session.add(row)
    return Row.model_validate(row)


@application.get("/titles", response_model=list[Title])
async def titles(after: int, session: Session) -> Sequence[Book]:
    of_titles = select(Book).options(load_only(Book.title))
    return (await session.scalars(of_titles.where(Book.id > after).order_by(Book.id).limit(100))).all()


@application.get("/books", response_model=list[BookRow])
async def books(after: int, session: Session) -> Sequence[Book]:
    return (await session.scalars(select(Book).where(Book.id > after).order_by(Book.id).limit(100))).all()


@application.get("/book", response_model=BookWithAuthor)
async def book(id: int, session: Session) -> Book:  # noqa: A002  # what the parameter is called
    with_author = select(Book).options(joinedload(Book.author)).where(Book.id == id)
    found = (await session.scalars(with_author)).one_or_none()
    if found is None:
        raise HTTPException(404)
    return found


@application.get("/export")
async def export() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        async with new_session() as session:
            async for book in await session.stream_scalars(select(Book).execution_options(yield_per=1000)):
                yield BookRow.model_validate(book).model_dump_json() + "\n"

    return StreamingResponse(lines(), media_type="application/x-ndjson")


uvicorn.run(
    application,
    host="127.0.0.1",
    port=int(os.environ["PORT"]),
    access_log=False,
    log_level="warning",
    timeout_keep_alive=75,  # as long as the service: idle clients are measured
)
