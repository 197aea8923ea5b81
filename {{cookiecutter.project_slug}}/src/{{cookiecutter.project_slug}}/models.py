"""The tables."""

from peewee import AutoField, CharField

from .database import Model


class {{ cookiecutter.model_name }}(Model):
    id = AutoField()
    name = CharField(max_length=255)

    def __str__(self) -> str:
        return self.name


MODELS = ({{ cookiecutter.model_name }},)
