"""The tables."""

from peewee import AutoField, CharField

from .foundation.database import MixedIdModel


class {{ cookiecutter.model_name }}(MixedIdModel):
    id = AutoField()
    name = CharField(max_length=255)

    def __str__(self) -> str:
        return self.name


MODELS = ({{ cookiecutter.model_name }},)
