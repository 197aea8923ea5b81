"""The service itself: these are the handlers to replace with your own."""

import asyncio
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from tornado.web import HTTPError

from .database import Database
from .models import {{ cookiecutter.model_name }}
from .problems import Handler
from .validation import RequestBody, parse_id, query_argument

HINT = "Please provide the 'id' query argument, i.e. ?id=1"
EXPLANATION = (
    "'task1' is the task of the handler: Tornado runs each in a task, so it is not null. 'task2' is the task that it "
    "spawned: it has a connection and a transaction of its own, which the handler's other queries are no part of. "
    "'obj' is the row that was got or created there."
)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("PostgreSQL's text can't hold the NUL character")
    return text


class NewRow(RequestBody):
    """What it takes to create a row."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=255), AfterValidator(_without_nul)]


class RootHandler(Handler):
    """Creates and fetches rows."""

    async def get(self) -> None:
        given = query_argument(self.request, "id")
        if given is None:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(HINT)
            return
        obj = await {{ cookiecutter.model_name }}.aio_get_or_none(id=parse_id(given))
        if obj is None:
            raise HTTPError(404, "Object not found!")
        self.finish({"id": obj.id, "name": obj.name})

    async def post(self) -> None:
        new = NewRow.of(self.request)
        obj = await {{ cookiecutter.model_name }}.aio_create(name=new.name)
        self.set_status(201)
        self.set_header("Location", f"/?id={obj.id}")
        self.finish({"id": obj.id, "name": obj.name})


class CreateHandler(Handler):
    """Gets or creates a row inside a transaction, in a task of its own."""

    def initialize(self, database: Database) -> None:
        self.database = database

    async def get(self) -> None:
        given = query_argument(self.request, "id")
        if given is None:
            raise HTTPError(400, "id: the argument is missing, e.g. /create?id=100")
        task1 = asyncio.current_task()
        task2 = asyncio.create_task(self.get_or_create(parse_id(given)))
        obj = await task2
        self.finish({"task1": id(task1), "task2": id(task2), "obj": str(obj), "text": EXPLANATION})

    async def get_or_create(self, id_: int) -> {{ cookiecutter.model_name }}:
        async with self.database.aio_atomic():
            obj, _ = await {{ cookiecutter.model_name }}.aio_get_or_create(
                id=id_,
                defaults={"name": f"{{ cookiecutter.model_name }} id={id_}"},
            )
            return obj
