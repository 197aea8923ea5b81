"""Authors and their books."""

import uuid

from peewee import AutoField, CharField, DateField, ForeignKeyField, UUIDField

from .foundation.database import Model


class Author(Model):
    id = AutoField()
    name = CharField(max_length=100, unique=True)


class Book(Model):
    id = UUIDField(primary_key=True, default=uuid.uuid4)
    author = ForeignKeyField(Author, backref="books", on_delete="CASCADE")
    author_id: int
    title = CharField(max_length=200)
    published = DateField(null=True)


MODELS = (Author, Book)
