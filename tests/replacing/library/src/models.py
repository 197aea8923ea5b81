"""Authors and their books."""

import uuid
from typing import Any

from peewee import AutoField, CharField, DateField, ForeignKeyField, TextField, UUIDField
from playhouse.postgres_ext import ArrayField

from .foundation.database import Model


class Author(Model):
    id = AutoField()
    name = CharField(max_length=100, unique=True)
    books: Any


class Book(Model):
    id = UUIDField(primary_key=True, default=uuid.uuid4)
    author = ForeignKeyField(Author, backref="books", on_delete="CASCADE")
    author_id: int
    title = CharField(max_length=200)
    published = DateField(null=True)
    tags = ArrayField(TextField, default=list)

    class Meta:
        indexes = [(("author", "title"), True)]

    def __str__(self) -> str:
        return f"{self.title} by author {self.author_id}"


MODELS = (Author, Book)
