"""A relay between a service and PostgreSQL, which can be stopped, and can speak TLS.

    relay.py PORT TARGET_PORT [CERTIFICATE [late]]

With a file of a certificate and its key, it accepts TLS. With `late` it refuses a client after the TLS handshake, as a
server does that has no `hostssl` line for it. It prints `listening`, and then `TLS` or `plain` for each client.
"""

import asyncio
import contextlib
import ssl
import sys

# https://www.postgresql.org/docs/current/protocol-message-formats.html
SSL_REQUEST = bytes.fromhex("00000008 04d2162f")
REFUSAL = b"SFATAL\0C28000\0Mno encryption for you\0\0"
ERROR_RESPONSE = b"E" + (4 + len(REFUSAL)).to_bytes(4, "big") + REFUSAL


class Relay:
    """Passes bytes between its clients and a port of 127.0.0.1."""

    def __init__(self, target: int, certificate: str | None, *, late: bool) -> None:
        self._target = target
        self._late = late
        self._tls: ssl.SSLContext | None = None
        if certificate is not None:
            self._tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            self._tls.load_cert_chain(certificate)

    async def connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        first = await reader.read(65536)
        if self._tls is not None and first == SSL_REQUEST:
            print("TLS", flush=True)
            writer.write(b"S")
            with contextlib.suppress(ssl.SSLError, ConnectionError):
                await writer.start_tls(self._tls)
                first = await reader.read(65536)
            if self._late or first == SSL_REQUEST:
                writer.write(ERROR_RESPONSE)
                writer.close()
                return
        else:
            print("plain", flush=True)
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
        far_writer.write(first)
        await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        while data := await reader.read(65536):
            writer.write(data)
    writer.close()


async def main(port: str, target: str, certificate: str | None = None, late: str | None = None) -> None:
    relay = Relay(int(target), certificate, late=late == "late")
    server = await asyncio.start_server(relay.connect, "127.0.0.1", int(port))
    print("listening", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
