"""In: a text. Out: Span, … of keys, tokens and passwords.

Most services mark their keys with a prefix; the rest is found by the word before it ("token:", "contraseña:") and by
looking like nothing that anyone would write: digits, capitals and small letters that change all the time. What stands
there for a secret (YOUR_API_KEY, <token>, ${TOKEN}, ****, os.environ["KEY"]) is none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from tuning.cleaning.personal.spans import Span

_PREFIXED: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(rf"(?<![A-Za-z0-9_-])(?:{pattern})"))
    for name, pattern in (
        ("anthropic", r"sk-ant-[\w-]{16,}"),
        ("openai", r"sk-(?!ant-)(?:proj-|svcacct-|admin-)?[\w-]{16,}"),
        ("openrouter", r"sk-or-[\w-]{16,}"),
        ("aws", r"(?:AKIA|ASIA|AROA|AIDA)[A-Z0-9]{16}(?![A-Z0-9])"),
        ("github", r"gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}"),
        ("gitlab", r"gl(?:pat|ptt|dt|rt|soat|cbt)-[\w-]{16,}"),
        ("google", r"AIza[\w-]{30,}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"),
        ("slack", r"xox[abeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}"),
        ("stripe", r"[spr]k_(?:live|test)_[A-Za-z0-9]{12,}|whsec_[A-Za-z0-9]{20,}"),
        ("hugging_face", r"hf_[A-Za-z0-9]{20,}"),
        ("npm", r"npm_[A-Za-z0-9]{30,}"),
        ("pypi", r"pypi-[\w-]{40,}"),
        ("sendgrid", r"SG\.[\w-]{16,}\.[\w-]{16,}"),
        ("telegram", r"\d{8,10}:AA[\w-]{30,}"),
        ("twilio", r"(?:SK|AC)[0-9a-f]{32}"),
        ("groq", r"gsk_[A-Za-z0-9]{20,}"),
        ("xai", r"xai-[A-Za-z0-9]{20,}"),
        ("tavily", r"tvly-[\w-]{16,}"),
        ("replicate", r"r8_[A-Za-z0-9]{20,}"),
        ("digitalocean", r"do[opr]_v1_[0-9a-f]{40,}"),
        ("afina", r"afina-[\w-]{40,}"),
        ("jwt", r"eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
    )
)
_LONG = re.compile(r"[\w.-]{20}")
_MARKS = (
    *(
        "sk-",
        "sk_",
        "pk_",
        "rk_",
        "AKIA",
        "ASIA",
        "AROA",
        "AIDA",
        "gh",
        "github_pat_",
        "gl",
        "AIza",
        "ya29",
        "GOCSPX",
        "xox",
    ),
    *(
        "xapp-",
        "whsec_",
        "hf_",
        "npm_",
        "pypi-",
        "SG.",
        ":AA",
        "SK",
        "AC",
        "gsk_",
        "xai-",
        "tvly-",
        "r8_",
        "_v1_",
        "afina-",
    ),
    "eyJ",
)
_PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\Z)", re.S
)
_WEBHOOK = re.compile(r"https://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/[\w/-]{20,}")
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@]{0,80}:(?P<value>[^\s@/]{1,200})@(?=[\w\[])", re.IGNORECASE)
_BEARER = re.compile(r"\b(?:bearer|basic|token)\s+(?P<value>[A-Za-z0-9._~+/-]{16,}={0,2})", re.IGNORECASE)
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+])(?P<value>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])")
_ACCOUNT = re.compile(r"\bAccountKey=(?P<value>[A-Za-z0-9+/]{40,}={0,2})")

_SAYS = r"[\"'`*_]{0,3}\s*(?:(?:[:=]|=>|→)+\s*|\s(?:is(?: still)?|was|remains|es|era|será|sigue siendo)\b\s*:?\s*)"
_VALUE = r"(?:\"(?P<double>[^\"\n]{4,200})\"|'(?P<single>[^'\n]{4,200})'|[`«“]?(?P<value>[^\s\"'`»”]{4,200}))"
_WORDS = ("key", "token", "secret", "pass", "pwd", "clave", "contrase", "llave", "credencial", "bearer", "basic ")
_KEY_SAID = re.compile(  # also as the end of a setting's name: x-api-key, DB_TOKEN
    r"(?<![A-Za-z0-9])(?:(?:api|access|private|secret|secret[_ -]access|encryption|signing)[_ -]?keys?|"
    r"(?:client|app|webhook)[_ -]?secret|(?:auth|access|refresh|bearer|session)[_ -]?token|token|secret|key|"
    r"clave (?:(?:de (?:la )?)?api|secreta|privada)|llave|secreto|credencial)" + _SAYS + _VALUE,
    re.IGNORECASE,
)
_PASSWORD_SAID = re.compile(
    r"(?<![A-Za-z0-9])(?:passwords?|passwd|passphrase|passcode|pwd|pass|contrase[ñn]as?|clave)"
    r"(?:(?: [\w-]{1,15}){0,4}?" + _SAYS + r"|(?:(?: [\w-]{1,15}){0,3},)?\s[(«\"'`]?(?=\S*\d)(?=\S*[A-Za-z]))" + _VALUE,
    re.IGNORECASE,
)
_STANDS_FOR = re.compile(
    r"^[<{\[(]|\w\(|\$[{(]|^\$[A-Z_]|^%[A-Z]|\*{3}|x{4,}|\.{3}|…|•|your|tu[_-]|mi[_-]|my[_-]|example|ejemplo|"
    r"placeholder|changeme|redacted|env\b|environ|getenv|process\.|config\.|https?:|^(?:secret|pass(?:word)?|pwd)$|secret_key$|api_key$|password$|token$",
    re.IGNORECASE,
)


def known(text: str) -> Iterator[Span]:
    """What no other kind of number or address can be."""
    if "PRIVATE KEY" in text:
        yield from (Span("key", *match.span(), 1.0, "pem") for match in _PEM.finditer(text))
    if _LONG.search(text) and any(mark in text for mark in _MARKS):
        for name, pattern in _PREFIXED:
            for match in pattern.finditer(text):
                if name == "afina" or _varied(match[0]):
                    yield Span("key", *match.span(), 1.0, name)
    if "://" in text:
        yield from (Span("key", *match.span(), 1.0, "webhook") for match in _WEBHOOK.finditer(text))
        for match in _IN_URL.finditer(text):
            if not _STANDS_FOR.search(match["value"]):
                yield Span("password", *match.span("value"), 0.95, "url")


def said(text: str) -> Iterator[Span]:
    """What only the word before it gives away."""
    small = text.lower()
    if not any(word in small for word in _WORDS):
        return
    for pattern, detail in ((_BEARER, "bearer"), (_ACCOUNT, "azure")):
        for match in pattern.finditer(text):
            if _changing(match["value"]):
                yield Span("key", *match.span("value"), 0.95, detail)
    if "aws" in small:
        for match in _AWS_SECRET.finditer(text):
            if _changing(match["value"]) and not re.fullmatch(r"[0-9a-f]+", match["value"]):
                yield Span("key", *match.span("value"), 0.9, "aws_secret")
    for pattern, kind in ((_KEY_SAID, "key"), (_PASSWORD_SAID, "password")):
        for match in pattern.finditer(text):
            group = next(name for name in ("double", "single", "value") if match[name] is not None)
            start = match.start(group)
            value = match[group].rstrip(".,;:)]}") if group == "value" else match[group]
            fits = _password(value) if kind == "password" else len(value) >= 12 and _changing(value)
            if fits and not _STANDS_FOR.search(value):
                yield Span(kind, start, start + len(value), 0.8, "said")


def _varied(value: str) -> bool:
    """No word in any language: sk-learn-something-with-words is none of OpenAI's."""
    return any(character.isdigit() for character in value) and len(set(value)) >= 8


def _changing(value: str) -> bool:
    """Small, capital, digit, sign: words change between them now and then, chance does every other time."""
    classes = [_class(character) for character in value]
    changes = sum(one != other for one, other in pairwise(classes))
    return {"d"} < set(classes) and changes >= max(4, len(value) // 8) and len(set(value)) >= 8


def _password(value: str) -> bool:
    """Six characters or more of at least two classes, a digit or a sign among them; no amount, no code."""
    classes = {_class(character) for character in value}
    mixed = len(classes) >= 2 and bool(classes & {"d", "s"}) and bool(classes & {"a", "A"})
    return len(value) >= 6 and mixed and not re.fullmatch(r"[A-Za-z]+(?:['’-][A-Za-z]+)*[!?]?|[\w.]+\(.*", value)


def _class(character: str) -> str:
    if character.isdigit():
        return "d"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return "s"
