"""In: a URL in any spelling. Out: where it leads (Target), and whether an IP address is a public one.

A host is brought to one spelling before anything is decided, the way browsers do it (WHATWG URL, "host parsing"): full
width digits, ideographic stops and soft hyphens are mapped away, and whatever ends in a number is an IPv4 address, be
it decimal, octal, hexadecimal or short. Opens nothing and looks nothing up.
"""

from __future__ import annotations

import ipaddress
import re
import unicodedata
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from knowledge.web.words import Refused

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST = 4_096  # characters of a URL
PORTS = {"http": 80, "https": 443}
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"\d+|0[xX][0-9a-fA-F]*")

# IANA's special-purpose registries (RFC 6890 and later): what is not the public internet.
_CLOSED_4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32",  # the last: Azure's own
            "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_OPEN_6 = ipaddress.IPv6Network("2000::/3")  # everything that is given out; the rest is local, mapped or reserved
_CLOSED_6 = tuple(  # protocols (Teredo in it), documentation, 6to4: an IPv4 address inside, and a relay decides which
    map(ipaddress.IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_ISATAP = (0x00005EFE, 0x02005EFE)


@dataclass(frozen=True, slots=True)
class Target:
    scheme: str  # "http" | "https"
    host: str  # ASCII, lower case; an IP address in its one spelling, without brackets
    port: int
    path: str  # with the query, ASCII, begins with "/"

    @property
    def literal(self) -> IpAddress | None:
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def target(url: str) -> Target:
    """Raises Refused with a sentence: not a URL, not the web, a user name in it, no name a server can have."""
    url = url.strip()
    if not url or len(url) > LONGEST or any(unicodedata.category(letter) in ("Cc", "Cs") for letter in url):
        raise Refused("not_a_url")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("not_a_url") from None
    scheme = parts.scheme.lower()
    if scheme not in PORTS:
        raise Refused("scheme", scheme=scheme[:20]) if scheme else Refused("not_a_url")
    if "@" in parts.netloc:
        raise Refused("userinfo")
    if port == 0 or not parts.netloc or "\\" in parts.netloc:
        raise Refused("not_a_url")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + (f"?{_query(parts.query)}" if parts.query else "")
    return Target(scheme, _host(parts.hostname or "", "[" in parts.netloc), port or PORTS[scheme], path)


def public(address: IpAddress) -> bool:
    """Whether it belongs to the public internet, every IPv4 address that is hidden in it too."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in closed for closed in _CLOSED_4)
    if address.ipv4_mapped is not None:
        return public(address.ipv4_mapped)
    low = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _NAT64:  # how an IPv6-only network reaches IPv4
        return public(low)
    if address not in _OPEN_6 or any(address in closed for closed in _CLOSED_6):
        return False
    return (int(address) >> 32) & 0xFFFFFFFF not in _ISATAP or public(low)


def _query(query: str) -> str:
    return quote(query, safe="/%:@!$&'()*+,;=~?[]")


def _host(host: str, bracketed: bool) -> str:
    if bracketed:
        try:
            return str(ipaddress.IPv6Address(host.replace("%", "no zones")))  # %eth0 chooses a network of this machine
        except ValueError:
            raise Refused("host", host=host[:80]) from None
    name = _ascii(host).removesuffix(".")
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(name, labels))
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise Refused("host", host=host[:80])
    return name


def _ascii(host: str) -> str:
    mapped = unicodedata.normalize("NFKC", host).lower().replace("。", ".")
    if mapped.isascii():
        return mapped
    import idna

    try:
        return idna.encode(mapped, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise Refused("host", host=host[:80]) from None


def _ipv4(name: str, labels: list[str]) -> ipaddress.IPv4Address:
    """ "0x7f.1", "0177.0.0.1", "2130706433" → 127.0.0.1: each but the last is a byte, the last fills the rest."""
    try:
        values = [_number(label) for label in labels]
        if len(values) > 4 or any(value > 255 for value in values[:-1]) or values[-1] >= 256 ** (5 - len(values)):
            raise ValueError
        first = sum(value << (24 - 8 * place) for place, value in enumerate(values[:-1]))
        return ipaddress.IPv4Address(first + values[-1])
    except ValueError:
        raise Refused("host", host=name[:80]) from None


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label) or len(label) > 40:
        raise ValueError
    if label[:2] in ("0x", "0X"):
        return int(label[2:] or "0", 16)
    return int(label, 8) if label[0] == "0" else int(label)
