"""In: a seeded chance. Out: made-up values of every kind, with their checksums, and numbers that are nobody's.

Addresses end in domains kept for examples. Nothing here is copied from anywhere.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable

from stdnum import iban as iban_check
from stdnum import isbn, luhn
from stdnum.ar import cuit
from stdnum.br import cpf
from stdnum.cl import rut
from stdnum.es import cif, dni, nie
from stdnum.fr import nir
from stdnum.it import codicefiscale
from stdnum.mx import curp, rfc
from stdnum.pt import nif

LETTERS = string.ascii_letters + string.digits


def _digits(chance: random.Random, n: int, first: str = string.digits) -> str:
    return chance.choice(first) + "".join(chance.choices(string.digits, k=n - 1)) if n else ""


def _of(chance: random.Random, alphabet: str, n: int) -> str:
    return "".join(chance.choices(alphabet, k=n))


_NAMES = ("ana", "luis", "maria", "john", "emma", "iñaki", "o'neill", "jean-luc", "sofia", "peter", "dev", "info")
_DOMAINS = (
    *("example.com", "example.org", "example.net", "mail.example.com", "correo.example.es", "empresa.example"),
    *("uni-1.example.edu", "sub.dept.example.co.uk", "españa.example"),
)


def email(chance: random.Random, _language: str) -> tuple[str, str]:
    number, letters = str(chance.randint(1, 2010)), _of(chance, "abcdef", 3)
    more = chance.choice(("", ".garcia", "_smith", number, "+news", ".m.lopez", f"-{letters}"))
    written = f"{chance.choice(_NAMES)}{more}@{chance.choice(_DOMAINS)}"
    return "any", chance.choice((written, written, written, written.upper(), written.title()))


_PHONES: dict[str, tuple[list[str], list[str]]] = {
    # region: how its numbers begin, how they are written (# a digit)
    "ES": (
        ["612", "655", "699", "722", "912", "934", "952"],
        [
            *(
                "### ### ###",
                "### ## ## ##",
                "+34 ### ### ###",
                "+34#########",
                "0034 ### ### ###",
                "(+34) ### ## ## ##",
            ),
            *("#########", "###-###-###", "###.###.###"),
        ],
    ),
    "US": (
        ["212", "415", "646", "305", "718"],
        [
            *("(###) ###-####", "###-###-####", "+1 ### ### ####", "+1-###-###-####", "###.###.####", "1-###-###-####"),
            *("##########", "+1 (###) ###-####", "(###) ###-#### ext. 12"),
        ],
    ),
    "GB": (
        ["7400", "7700", "2079", "1614"],
        ["+44 #### ######", "0#### ######", "+44##########", "+44 (0)#### ######"],
    ),
    "MX": (["55", "33", "81"], ["## #### ####", "+52 ## #### ####", "##########", "(##) #### ####", "+52##########"]),
    "AR": (["11"], ["## ####-####", "+54 9 ## ####-####", "0## ####-####", "(0##) ####-####"]),
    "CO": (["300", "310", "320"], ["### ### ####", "+57 ### #######", "##########"]),
    "CL": (["9"], ["+56 # #### ####", "# #### ####", "+56#########"]),
    "DE": (["30", "89"], ["+49 ## ########", "0## ########"]),
    "FR": (["1", "6", "7"], ["+33 # ## ## ## ##", "0# ## ## ## ##"]),
}
_LENGTHS = {"ES": 9, "US": 10, "GB": 10, "MX": 10, "AR": 10, "CO": 10, "CL": 9, "DE": 10, "FR": 9}
_SPOKEN = {
    "en": ("US", "US", "US", "GB", "GB", "ES", "MX", "DE", "FR"),
    "es": ("ES", "ES", "ES", "MX", "AR", "CO", "CL", "US", "FR", "DE"),
}


def phone(chance: random.Random, language: str) -> tuple[str, str]:
    region = chance.choice(_SPOKEN[language])
    starts, forms = _PHONES[region]
    start, form = chance.choice(starts), chance.choice(forms)
    rest = iter(start + _digits(chance, _LENGTHS[region] - len(start), "23456789"))
    written = "".join(next(rest) if sign == "#" else sign for sign in form)
    home = region in {"es": ("ES", "MX", "AR", "CO"), "en": ("US", "GB")}[language]
    grouped = any(sign in " -(" for sign in written)
    return ("alone" if written.startswith(("+", "(+")) or (home and grouped) else "named"), written


_NETWORKS = (
    *(("4", 16), ("4539", 16), ("51", 16), ("55", 16), ("2221", 16), ("34", 15), ("37", 15), ("6011", 16), ("36", 14)),
    ("3530", 16),
)


def card(chance: random.Random, _language: str) -> tuple[str, str]:
    prefix, length = chance.choice(_NETWORKS)
    body = prefix + _digits(chance, length - 1 - len(prefix))
    number = body + luhn.calc_check_digit(body)
    gap = chance.choice((" ", " ", "-", ""))
    cuts = {16: (4, 4, 4, 4), 15: (4, 6, 5), 14: (4, 6, 4)}[length]
    parts, at = [], 0
    for cut in cuts:
        parts.append(number[at : at + cut])
        at += cut
    return "any", gap.join(parts)


_BBAN = {  # how an account looks within its country: n digits, A capitals, c either
    "ES": "n20",
    "DE": "n18",
    "FR": "n10 c11 n2",
    "GB": "A4 n14",
    "PT": "n21",
    "IT": "A1 n22",
    "NL": "A4 n10",
    "BE": "n12",
}
_ALPHABETS = {"n": string.digits, "A": string.ascii_uppercase, "c": string.ascii_uppercase + string.digits}


def iban(chance: random.Random, _language: str) -> tuple[str, str]:
    country = chance.choice(("ES", "ES", *_BBAN))
    bban = "".join(_of(chance, _ALPHABETS[part[0]], int(part[1:])) for part in _BBAN[country].split())
    number = country + iban_check.calc_check_digits(f"{country}00{bban}") + bban
    form = chance.choice(("grouped", "grouped", "bare", "hyphens", "small"))
    if form == "bare":
        return "any", number
    parts = [number[at : at + 4] for at in range(0, len(number), 4)]
    written = ("-" if form == "hyphens" else " ").join(parts)
    return "any", written.lower() if form == "small" else written


_GIVEN = {  # which numbers are met in which language
    "en": ("us_ssn", "us_ssn", "gb_nino", "es_dni", "mx_curp", "it_codicefiscale", "br_cpf", "fr_nir"),
    "es": (
        *(
            "es_dni",
            "es_dni",
            "es_nie",
            "es_cif",
            "es_nss",
            "mx_curp",
            "mx_rfc",
            "ar_cuit",
            "cl_rut",
            "co_cc",
            "pt_nif",
        ),
        "us_ssn",
    ),
}


def national_id(chance: random.Random, language: str) -> tuple[str, str]:
    name = chance.choice(_GIVEN[language])
    return name, IDENTITIES[name](chance)


def _dni(chance: random.Random) -> str:
    number = _digits(chance, 8)
    letter = dni.calc_check_digit(number)
    return chance.choice(
        (f"{number}{letter}", f"{number}-{letter}", f"{number[:2]}.{number[2:5]}.{number[5:]}-{letter}")
    )


def _nie(chance: random.Random) -> str:
    number = chance.choice("XYZ") + _digits(chance, 7)
    letter = nie.calc_check_digit(number)
    return chance.choice((f"{number}{letter}", f"{number[0]}-{number[1:]}-{letter}"))


def _cif(chance: random.Random) -> str:
    number = chance.choice("ABEH") + _digits(chance, 7)
    check = next(sign for sign in string.digits if cif.is_valid(number + sign))
    return chance.choice((f"{number}{check}", f"{number[0]}-{number[1:]}{check}"))


def _nss(chance: random.Random) -> str:
    province, serial = f"{chance.randint(1, 52):02}", _digits(chance, 8, "123456789")
    check = f"{int(province + serial) % 97:02}"
    return chance.choice((f"{province}/{serial}/{check}", f"{province} {serial} {check}", f"{province}{serial}{check}"))


def _ssn(chance: random.Random) -> str:
    area = chance.choice([n for n in range(1, 899) if n != 666])
    return f"{area:03}-{chance.randint(1, 99):02}-{chance.randint(1, 9999):04}"


def _birthday(chance: random.Random) -> str:
    return f"{chance.randint(50, 99)}{chance.randint(1, 12):02}{chance.randint(1, 28):02}"


def _curp(chance: random.Random) -> str:
    consonants = "BCDFGHJKLMNPQRSTVWXZ"
    body = (
        _of(chance, "BCDFGLMPRST", 1)
        + chance.choice("AEIOU")
        + _of(chance, "BDFGLMPRST", 2)
        + _birthday(chance)
        + chance.choice("HM")
    )
    body += chance.choice(("DF", "JC", "NL", "OC")) + _of(chance, consonants, 3) + chance.choice(string.digits)
    return body + curp.calc_check_digit(body)


def _rfc(chance: random.Random) -> str:
    body = (
        "GODE"
        if chance.random() < 0.1
        else _of(chance, "BDFGLMPRST", 1) + chance.choice("AEI") + _of(chance, "BDFGLST", 2)
    )
    body += _birthday(chance) + chance.choice("123456789") + chance.choice("123456789ABC")
    return body + rfc.calc_check_digit(body)


def _cuit(chance: random.Random) -> str:
    number = chance.choice(("20", "23", "27", "30")) + _digits(chance, 8)
    check = cuit.calc_check_digit(number)
    return chance.choice((f"{number[:2]}-{number[2:]}-{check}", f"{number}{check}"))


def _rut(chance: random.Random) -> str:
    number = _digits(chance, 8, "12")
    check = rut.calc_check_digit(number)
    return chance.choice((f"{number[:2]}.{number[2:5]}.{number[5:]}-{check}", f"{number}-{check}"))


def _cc(chance: random.Random) -> str:
    number = _digits(chance, 10, "1")
    return chance.choice(
        (f"{number[0]}.{number[1:4]}.{number[4:7]}.{number[7:]}", number, f"{number[:2]}.{number[2:5]}.{number[5:8]}")
    )


def _nif(chance: random.Random) -> str:
    number = _digits(chance, 8, "12")
    number += nif.calc_check_digit(number)
    return chance.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))


def _nir(chance: random.Random) -> str:
    number = f"{chance.randint(1, 2)}{_birthday(chance)[:4]}{chance.randint(1, 95):02}{_digits(chance, 6)}"
    number += nir.calc_check_digits(number)
    parts = (number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:])
    return chance.choice((" ".join(parts), number))


def _codice(chance: random.Random) -> str:
    body = (
        _of(chance, "BCDFGLMNPRSTV", 6)
        + f"{chance.randint(50, 99)}{chance.choice('ABCDEHLMPRST')}{chance.randint(1, 28):02}"
    )
    body += chance.choice("ADFHL") + _digits(chance, 3)
    return body + codicefiscale.calc_check_digit(body)


def _cpf(chance: random.Random) -> str:
    number = _digits(chance, 9)
    number += "".join(cpf._calc_check_digits(number))
    return chance.choice((f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}", number))


def _nino(chance: random.Random) -> str:
    parts = (
        chance.choice(("AB", "CE", "JK", "LX", "SR")),
        *(_digits(chance, 2) for _ in range(3)),
        chance.choice("ABCD"),
    )
    return chance.choice((" ".join(parts), "".join(parts)))


IDENTITIES: dict[str, Callable[[random.Random], str]] = {
    "es_dni": _dni,
    "es_nie": _nie,
    "es_cif": _cif,
    "es_nss": _nss,
    "us_ssn": _ssn,
    "mx_curp": _curp,
    "mx_rfc": _rfc,
    "ar_cuit": _cuit,
    "cl_rut": _rut,
    "co_cc": _cc,
    "pt_nif": _nif,
    "fr_nir": _nir,
    "it_codicefiscale": _codice,
    "br_cpf": _cpf,
    "gb_nino": _nino,
}


def ip(chance: random.Random, _language: str) -> tuple[str, str]:
    if chance.random() < 0.3:
        groups = [f"{chance.randint(1, 65535):x}" for _ in range(6)]
        return "any", "2001:db8:" + chance.choice((":".join(groups), ":" + ":".join(groups[:2])))
    first = chance.choice([n for n in range(20, 223) if n not in (100, 127, 169, 172, 192, 198, 203)])
    return "any", ".".join(map(str, (first, *(chance.randint(33, 254) for _ in range(3)))))


_HEX, _B64 = string.digits + "abcdef", LETTERS + "_-"
_KEYS = (  # what is before, alphabet and length, what is after (a digit at the least), the group
    ("sk-proj-", _B64, 48, "7aB", "known"),
    ("sk-", LETTERS, 48, "1", "known"),
    ("sk-ant-api03-", _B64, 90, "9Z", "known"),
    ("AKIA", string.ascii_uppercase + "234567", 15, "7", "known"),
    ("ghp_", LETTERS, 35, "4", "known"),
    ("github_pat_", LETTERS, 81, "2", "known"),
    ("glpat-", _B64, 19, "3", "known"),
    ("AIza", _B64, 34, "8", "known"),
    ("xoxb-", LETTERS, 48, "5", "known"),
    ("sk_live_", LETTERS, 23, "5", "known"),
    ("hf_", LETTERS, 33, "2", "known"),
    ("afina-", _B64, 42, "4", "known"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJ", _B64, 60, ".Qx7_aaB3kk-0PqRs", "known"),
    ("-----BEGIN PRIVATE KEY-----\n", LETTERS + "+/", 90, "==\n-----END PRIVATE KEY-----", "known"),
    ("", _HEX, 32, "", "said"),
    ("", LETTERS, 40, "a1B2", "said"),
)


def key(chance: random.Random, _language: str) -> tuple[str, str]:
    before, alphabet, length, after, group = chance.choice(_KEYS)
    return group, before + _of(chance, alphabet, length) + after


def password(chance: random.Random, _language: str) -> tuple[str, str]:
    word = chance.choice(("gato", "Sol", "blue", "Luna", "tiger", "Invierno", "qwerty", "Verano"))
    end = chance.choice(("", "!", "#", "$x", "_"))
    return "any", f"{word}{_digits(chance, 4)}{end}" if chance.random() < 0.6 else _of(chance, LETTERS, 9) + "k7!"[
        : chance.randint(2, 3)
    ]


VALUES: dict[str, Callable[[random.Random, str], tuple[str, str]]] = {
    "email": email,
    "phone": phone,
    "card": card,
    "iban": iban,
    "national_id": national_id,
    "ip": ip,
    "key": key,
    "password": password,
}


def _book(chance: random.Random) -> str:
    body = "978" + _digits(chance, 9)
    check = next(sign for sign in string.digits if isbn.is_valid(body + sign))
    return chance.choice((body + check, f"978-{body[3]}-{body[4:7]}-{body[7:12]}-{check}"))


def _time(chance: random.Random) -> str:
    return f"{chance.randint(0, 23):02}:{chance.randint(0, 59):02}"


def _date(chance: random.Random) -> str:
    day, month, year = chance.randint(1, 28), chance.randint(1, 12), chance.randint(1950, 2030)
    backwards = f"{year}-{month:02}-{day:02}"
    forms = (f"{day:02}/{month:02}/{year}", f"{day}.{month}.{year}", f"{day}-{month}-{year}")
    return chance.choice((*forms, backwards, f"{backwards}T{_time(chance)}:00"))


def _amount(chance: random.Random) -> str:
    whole = chance.randint(1000, 99_999_999)
    commas = f"{whole:,}"
    dots, spaces = commas.replace(",", "."), commas.replace(",", " ")
    forms = (f"{dots},50 €", f"{commas}.50 USD", f"${commas}", f"€{whole}", f"{dots} euros", f"{whole} dollars")
    return chance.choice((*forms, f"{spaces} pesos"))


def _count(chance: random.Random) -> str:
    return f"{chance.randint(1_000_000, 999_999_999):,}".replace(",", chance.choice((",", ".", " ", "")))


def _part_number(chance: random.Random) -> str:
    capitals = string.ascii_uppercase
    return f"{_of(chance, capitals, 2)}-{_digits(chance, 5)}-{_of(chance, capitals, 1)}{_digits(chance, 2)}"


def _private(chance: random.Random) -> str:
    return chance.choice(("192.168.1", "10.0.0", "172.16.4", "127.0.0")) + f".{chance.randint(1, 254)}"


NUMBERS: dict[str, Callable[[random.Random], str]] = {
    "isbn": _book,
    "date": _date,
    "time": _time,
    "amount": _amount,
    "year": lambda chance: str(chance.randint(1450, 2040)),
    "years": lambda chance: f"{chance.randint(1900, 1990)}-{chance.randint(1991, 2030)}",
    "version": lambda chance: ".".join(str(chance.randint(0, 40)) for _ in range(chance.randint(2, 4))),
    "count": _count,
    "small": lambda chance: str(chance.randint(2, 9999)),
    "order": lambda chance: _digits(chance, chance.choice((8, 9, 10, 12)), "123456789"),
    "part": _part_number,
    "serial": lambda chance: f"{_of(chance, string.ascii_uppercase, 3)}{_digits(chance, 8)}",
    "hex": lambda chance: _of(chance, string.digits + "abcdef", 40),
    "uuid": lambda chance: "-".join(_of(chance, string.digits + "abcdef", n) for n in (8, 4, 4, 4, 12)),
    "private": _private,
    "latitude": lambda chance: f"{chance.uniform(-90, 90):.6f}",
    "decimal": lambda chance: f"{chance.uniform(0, 1000):.{chance.randint(3, 9)}f}",
    "epoch": lambda chance: str(chance.randint(1_600_000_000, 1_900_000_000)),
    "barcode": lambda chance: _digits(chance, 13, "123456789"),
    "range": lambda chance: f"{chance.randint(100, 500)}-{chance.randint(501, 999)}",
    "percent": lambda chance: f"{chance.uniform(0, 100):.1f} %",
    "percents": lambda chance: f"{chance.randint(1, 99)}%",
    "law": lambda chance: f"{chance.randint(1, 99)}/{chance.randint(1978, 2025)}",
}  # fmt: skip
