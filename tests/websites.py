"""A web server on loopback that misbehaves on demand, at the socket. `say[path]` is what it answers there, byte for
byte, or a function that is given the connection. Every request is kept as it arrived."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

Speak = Callable[[socket.socket], None]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: dict[str, str]  # names in lower case
    body: bytes = b""


def answer(
    body: bytes | str = b"",
    status: int = 200,
    kind: str = "text/html; charset=utf-8",
    **headers: str,
) -> bytes:
    """A whole answer; `headers` with _ for -."""
    data = body.encode() if isinstance(body, str) else body
    lines = {"Content-Type": kind, "Content-Length": str(len(data)), "Connection": "close"}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"HTTP/1.1 {status} Answer\r\n{head}\r\n".encode() + data


def moved(to: str, status: int = 302) -> bytes:
    return answer(status=status, Location=to)


@dataclass
class Website:
    tls: Path | None = None  # a file with a certificate and its key
    say: dict[str, bytes | Speak] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)  # the other side hung up while it was spoken to
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._listener = socket.create_server(
            (self.host, 0), family=socket.AF_INET6 if ":" in self.host else socket.AF_INET
        )
        self.port: int = self._listener.getsockname()[1]
        self._context = None
        if self.tls:
            self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._context.load_cert_chain(self.tls)
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def __enter__(self) -> Website:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                line, _ = self._listener.accept()
                threading.Thread(target=self._talk, args=(line,), daemon=True).start()

    def _talk(self, line: socket.socket) -> None:
        try:
            with line:
                line.settimeout(30)
                if self._context:
                    line = self._context.wrap_socket(line, server_side=True)
                with line:
                    self._answer(line)
        except (OSError, ValueError):  # ValueError: this is no request
            self.left.set()

    def _answer(self, line: socket.socket) -> None:
        file = line.makefile("rb")
        with file:
            method, path, _ = file.readline().decode("latin-1").split(" ", 2)
            headers = {}
            while (row := file.readline().decode("latin-1").strip()) != "":
                name, _, value = row.partition(":")
                headers[name.lower()] = value.strip()
            body = file.read(int(headers.get("content-length", 0)))
        self.asked.append(Asked(method, path, headers, body))
        said = self.say.get(path, self.say.get(path.partition("?")[0], answer("nothing here", 404)))
        if callable(said):
            said(line)
        else:
            line.sendall(said)


def certificate(folder: Path, *names: str) -> tuple[Path, Path]:
    """A server's certificate for these names, signed by an authority of its own: (server.pem with its key, ca.pem)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)

    def signed(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, by: ec.EllipticCurvePrivateKey, *, authority: bool
    ) -> x509.Certificate:
        subject = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, one)]) for one in (name, issuer)]
        builder = (
            x509.CertificateBuilder(*reversed(subject))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            others: list[x509.GeneralName] = []
            for one in names:
                try:
                    others.append(x509.IPAddress(ipaddress.ip_address(one)))
                except ValueError:
                    others.append(x509.DNSName(one))
            builder = builder.add_extension(x509.SubjectAlternativeName(others), critical=False)
        return builder.sign(by, hashes.SHA256())

    own, house = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    server, authority = folder / "server.pem", folder / "ca.pem"
    key = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    server.write_bytes(key + signed("server", own, "house", house, authority=False).public_bytes(pem))
    authority.write_bytes(signed("house", house, "house", house, authority=True).public_bytes(pem))
    return server, authority
