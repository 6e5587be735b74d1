"""In: a text. Out: Span, … of e-mail addresses and public internet addresses.

An internet address is personal where it stands for somebody's line: private ranges are left alone, the ranges kept for
documentation stand for public ones. Four numbers with dots are as often a version: small ones need a word beside them.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from tuning.cleaning.personal.spans import Span, before, last, named_otherwise

# A last label in capitals needs a domain that begins so: in "ana@example.com.Gracias" a sentence begins.
_LABELS = r"(?:\w(?:[\w-]{0,61}\w)?\.){1,6}"
_EMAIL = re.compile(
    rf"(?<![\w.+%-])\w(?:[\w.+%'’-]{{0,62}}[\w+-])?@"
    rf"(?:{_LABELS}(?:xn--[a-z0-9-]{{2,30}}|[^\W\d_A-Z]{{2,24}})|(?=[A-Z]){_LABELS}[^\W\d_]{{2,24}})(?![\w-])"
)
_AT = r"\s?[(\[{<]\s?(?:at|arroba|@)\s?[)\]}>]\s?"
_DOT = r"(?:\s?[(\[{<]\s?(?:dot|punto|\.)\s?[)\]}>]\s?|\s(?:dot|punto)\s|\.)"
_SPELLED_DOT = r"\s(?:dot|punto)\s"
_SPELLED = re.compile(
    rf"(?<![\w.@])[\w.+-]{{2,64}}(?:{_AT}[\w-]+(?:{_DOT}[\w-]+)+|\s(?:at|arroba)\s[\w-]+(?:{_SPELLED_DOT}[\w-]+)+"
    rf"|\sarroba\s[\w-]+(?:\.[\w-]+)+)(?!\w)",
    re.IGNORECASE,
)
_SPELLED_MARK = re.compile(r"arroba|[(\[{<]\s?(?:at|@)|\sdot\s", re.IGNORECASE)
_FILES = re.compile(r"\.(?:png|jpe?g|gif|svg|webp|ico|css|js|ts|py|json|md|txt|pdf|zip)$", re.IGNORECASE)

_V4 = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w]|\.\d)")
_V6 = re.compile(r"(?<![\w:.])[0-9a-f]{1,4}:[0-9a-f:]{2,37}[0-9a-f:](?![\w:])", re.IGNORECASE)
_IP_CUE = re.compile(
    r"\b(?:from|desde|ips?|ipv[46]|address|direcci[oó]n|host|server|servidor|router|vpn|dns|ping|ssh|proxy|gateway|firewall|"
    r"puerto|port|login|logged in|sesi[oó]n|conect\w+|connect\w*|acces\w+|acceso|request\w*|petici[oó]n|peticiones|"
    r"client|cliente|remot[eoa]|attack\w*|ataques?|bloque\w+|block\w*|ban\w*|vet[aeoó]\w*|visit\w*|entr[oóa]\w*|"
    r"traffic|tr[aá]fico)\b"
    r"|(?:://|@)$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"(?:\b(?:v|ver|version|versi[oó]n|release|build|firmware|driver|kernel|n[uú]cleo|chrome|firefox|safari|edge|android|ios|macos|windows|linux|"
    r"python|java|node|openssl|nginx|apache|(?:upgrad|updat|actualiz)\w+(?: to| a)?|"
    r"secci[oó]n|section|cap[ií]tulo|chapter|apartado|ep[ií]grafe|cl[aá]usula|clause|figur[ae]|tabla|table|norma|oid)\b|"
    r"§|\bv)\W{0,3}$",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"[^\W_][,;)]?\s(?!IP)[A-Z][\w+]*\s$")  # "with Chrome 28.25.32.32"
_DOCUMENTED = [ipaddress.ip_network(net) for net in ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]
_GLOBAL_6 = ipaddress.ip_network("2000::/3")
_SMALL = 32  # two of four numbers at least as great: no version looks like that


def emails(text: str) -> Iterator[Span]:
    if "@" in text:
        for match in _EMAIL.finditer(text):
            repository = match[0].lower().startswith("git@")
            if not repository and not _FILES.search(match[0]):
                yield Span("email", *match.span(), 1.0)
    for match in _SPELLED.finditer(text) if _SPELLED_MARK.search(text) else ():
        yield Span("email", *match.span(), 0.9, "spelled")


def addresses(text: str) -> Iterator[Span]:
    for match in _V4.finditer(text) if "." in text else ():
        if _public(match[0]) and (confidence := _confidence(text, match)):
            yield Span("ip", *match.span(), confidence, "v4")
    for match in _V6.finditer(text) if "::" in text or text.count(":") >= 7 else ():
        if _public(match[0]):
            yield Span("ip", *match.span(), 0.95, "v6")


def _public(written: str) -> bool:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in _GLOBAL_6
    return not address.is_multicast and (address.is_global or any(address in net for net in _DOCUMENTED))


def _confidence(text: str, match: re.Match[str]) -> float:
    ahead = before(text, match.start())
    if _NUMBERED.search(ahead):
        return 0.0
    great = sum(int(part) >= _SMALL for part in match[0].split("."))
    if last(_IP_CUE, ahead) >= 0:
        return 0.95 if great > 2 or not _PRODUCT.search(ahead) else 0.0
    return 0.6 if great > 1 and not _PRODUCT.search(ahead) and not named_otherwise(text, match.start()) else 0.0
