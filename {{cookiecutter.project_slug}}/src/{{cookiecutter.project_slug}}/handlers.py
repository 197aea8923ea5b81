"""The requests that the service answers."""

import asyncio

from pydantic import BaseModel, Field
from tornado.web import HTTPError

from .foundation.web import Handler, Id, RequestBody, operation, parse_id, query_argument
from .models import {{ cookiecutter.model_name }}

HINT = "Please provide the 'id' query argument, i.e. ?id=1"
EXPLANATION = (
    "'task1' is the handler's own task: Tornado runs each handler in a task, so it is not null. 'task2' is the task "
    "that the handler spawned: it has a connection and a transaction of its own, apart from the handler's queries. "
    "'obj' is the row that it got or created."
)


class NewRow(RequestBody):
    """Body of `POST /`."""

    name: str = Field(min_length=1, max_length=255, examples=["Ada"])


class Row(BaseModel):
    """A row in a response."""

    id: Id
    name: str = Field(examples=["{{ cookiecutter.model_name }} id=1"])


class Tasks(BaseModel):
    """The tasks that got or created a row."""

    task1: int
    task2: int
    obj: str
    text: str


class RootHandler(Handler):
    """Creates and fetches rows."""

    @operation(query={"id": Id | None}, responses={200: [Row, "text/plain"]}, errors=[404, 503])
    async def get(self) -> None:
        """Get the row with this id; without an id, a hint."""
        given = query_argument(self.request, "id")
        if given is None:
            self.set_header("Content-Type", "text/plain; charset=UTF-8")
            self.finish(HINT)
            return
        obj = await {{ cookiecutter.model_name }}.aio_get_or_none(id=parse_id(given))
        if obj is None:
            raise HTTPError(404, "Object not found!")
        self.answer(Row, obj)

    @operation(body=NewRow, responses={201: [Row]}, errors=[503])
    async def post(self) -> None:
        """Create a row."""
        new = NewRow.from_request(self.request)
        obj = await {{ cookiecutter.model_name }}.aio_create(name=new.name)
        self.set_status(201)
        self.set_header("Location", f"/?id={obj.id}")
        self.answer(Row, obj)


class CreateHandler(Handler):
    """Gets or creates a row inside a transaction, in a task of its own."""

    @operation(query={"id": Id}, responses={200: [Tasks]}, errors=[503])
    async def get(self) -> None:
        """Get or create the row with this id, in a task of its own."""
        given = query_argument(self.request, "id")
        if given is None:
            raise HTTPError(400, "id: the argument is missing, e.g. /create?id=100")
        task1 = asyncio.current_task()
        task2 = asyncio.create_task(self.get_or_create(parse_id(given)))
        obj = await task2
        self.answer(Tasks, Tasks(task1=id(task1), task2=id(task2), obj=str(obj), text=EXPLANATION))

    async def get_or_create(self, id_: int) -> {{ cookiecutter.model_name }}:
        async with self.application.database.aio_atomic():
            obj, _ = await {{ cookiecutter.model_name }}.aio_get_or_create(
                id=id_,
                defaults={"name": f"{{ cookiecutter.model_name }} id={id_}"},
            )
            return obj
