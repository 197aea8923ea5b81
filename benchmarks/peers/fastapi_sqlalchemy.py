# /// script
# requires-python = ">=3.11"
# dependencies = ["fastapi[standard]>=0.120", "sqlalchemy[asyncio]>=2.0.40,<2.1", "asyncpg>=0.30"]
# ///
"""FastAPI, SQLAlchemy's asyncio and asyncpg: what people pick today, as their documentation puts them together."""

import os
from collections.abc import AsyncIterator
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import String
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

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


class NewRow(BaseModel):
    name: str = Field(min_length=1, max_length=255)


class Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str


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


uvicorn.run(application, host="127.0.0.1", port=int(os.environ["PORT"]), access_log=False, log_level="warning")
