"""The library's settings."""

from .foundation.settings import ListenPort, ServiceSettings


class Settings(ServiceSettings):
    database_name: str = "library"
    port: ListenPort = 8000
    opening_hours: str = "9 to 5"
