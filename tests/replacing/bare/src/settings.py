"""The defaults."""

from .foundation.settings import ListenPort, ServiceSettings


class Settings(ServiceSettings):
    database_name: str = "bare"
    port: ListenPort = 8000
