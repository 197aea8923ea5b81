"""A relay before PostgreSQL that can be cut, fall silent, or fail at TLS."""

import asyncio
from types import TracebackType
from urllib.parse import urlsplit

# https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST = bytes.fromhex("0000000804d2162f")


class Relay:
    """Listens on a port of 127.0.0.1, and passes data on in both directions."""

    def __init__(self, url: str, *, fails_at_tls: bool = False) -> None:
        self._target = urlsplit(url)
        self._fails_at_tls = fails_at_tls
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self._flows.set()
        self.port = 0
        self.connections = 0

    @property
    def url(self) -> str:
        """The URL of the database through the relay."""
        user, at, _ = self._target.netloc.rpartition("@")
        return self._target._replace(netloc=f"{user}{at}127.0.0.1:{self.port}").geturl()

    async def __aenter__(self) -> "Relay":
        await self.mend()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cut()

    def cut(self) -> None:
        """Refuse new connections, and reset the open ones."""
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()
        self._flows.set()

    async def mend(self) -> None:
        self._server = await asyncio.start_server(self._connect, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def fall_silent(self) -> None:
        """Accept connections and data, and pass nothing on."""
        self._flows.clear()

    def speak(self) -> None:
        """Pass data on again, beginning with what was held back."""
        self._flows.set()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(len(SSL_REQUEST))
        if self._fails_at_tls and first == SSL_REQUEST:
            writer.write(b"S")
            writer.close()
            return
        far_reader, far_writer = await asyncio.open_connection(self._target.hostname, self._target.port or 5432)
        self.connections += 1
        self._open |= {writer, far_writer}
        far_writer.write(first)
        await asyncio.gather(self._pump(reader, far_writer), self._pump(far_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                await self._flows.wait()
                writer.write(data)
        except ConnectionError:
            pass
        finally:
            writer.close()
