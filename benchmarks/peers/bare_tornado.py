# /// script
# requires-python = ">=3.11"
# dependencies = ["tornado>=6.6,<7"]
# ///
"""Tornado alone, with no database: as fast as a Tornado service could be."""

import asyncio
import os

from tornado.escape import json_decode
from tornado.web import Application, RequestHandler


class RootHandler(RequestHandler):
    def get(self) -> None:
        id_ = int(self.get_query_argument("id"))
        self.write({"id": id_, "name": f"TestNameModel id={id_}"})

    def post(self) -> None:
        name = json_decode(self.request.body)["name"]
        self.set_status(201)
        self.write({"id": 1, "name": name})


async def main() -> None:
    Application([("/", RootHandler)]).listen(int(os.environ["PORT"]), "127.0.0.1")
    await asyncio.Event().wait()


asyncio.run(main())
