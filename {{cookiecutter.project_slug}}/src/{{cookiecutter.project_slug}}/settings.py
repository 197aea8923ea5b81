"""The settings: the foundation's, with this service's defaults."""

from .foundation.settings import ListenPort, Port, ServiceSettings


class Settings(ServiceSettings):
    """Add fields here: each is read from the environment variable of its name in capitals, or from `.env`."""

    database_name: str = "{{ cookiecutter.database_name }}"
    database_port: Port = {{ cookiecutter.database_port }}
    port: ListenPort = {{ cookiecutter.port }}
