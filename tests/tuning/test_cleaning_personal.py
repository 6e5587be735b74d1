"""Personal data: nearly all of it is found and little else, what is replaced stays told apart, and JSON stays JSON."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from tests.tuning.people import KINDS, LANGUAGES, PARTS, nothing_personal, sentences
from tuning.cleaning.findings import CHECKS
from tuning.cleaning.personal import KINDS as ALL_KINDS
from tuning.cleaning.personal import Span, find, recogniser, replace
from tuning.values import Answer, Call, Example, Kind, Role, Source, Turn, conversation

EACH = 500  # sentences per part: 2,000 per kind and language


def kinds(text: str) -> list[tuple[str, str]]:
    return [(span.kind, text[span.start : span.end]) for span in find(text)]


def replaced(example: Example) -> Example:
    fields = {"turns.0.text": example.turns[0].text, "turns.1.text": example.turns[1].text}
    return replace(example, {path: find(text) for path, text in fields.items()})


def said(user: str, assistant: str = "") -> Example:
    return conversation(Turn(Role.USER, user), Turn(Role.ASSISTANT, assistant))


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_of_made_up_data_99_of_100_are_found_and_95_of_100_findings_are_right(kind: str, language: str) -> None:
    """Whole and of the right kind, at most four characters too many; anything else found in the sentence is wrong."""
    found = wrong = 0
    for part in PARTS:
        for told in sentences(kind, language, part=part, seed=7, n=EACH):
            spans = find(told.text)
            right = [span for span in spans if span.kind == kind and span.start < told.end and told.start < span.end]
            whole = [span for span in right if span.start <= told.start and told.end <= span.end]
            found += any(span.end - span.start <= told.end - told.start + 4 for span in whole)
            wrong += len(spans) - len(right)
    assert found >= 0.99 * EACH * len(PARTS)
    assert found >= 0.95 * (found + wrong)


@pytest.mark.slow
@pytest.mark.parametrize("language", LANGUAGES)
def test_where_nothing_is_personal_next_to_nothing_is_found(language: str) -> None:
    told = [one for part in PARTS for one in nothing_personal(language, part=part, seed=7, n=EACH)]
    assert sum(bool(find(one.text)) for one in told) <= 0.005 * len(told)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Write to Ana.Garcia+news@example.com.", [("email", "Ana.Garcia+news@example.com")]),
        ("ana (at) example (dot) com", [("email", "ana (at) example (dot) com")]),
        ("ana@example.com.Gracias", [("email", "ana@example.com")]),
        ("Llámame al 612 345 678 24 horas al día", [("phone", "612 345 678")]),
        ("tel. 91 123 45 67 / 612 345 678", [("phone", "91 123 45 67"), ("phone", "612 345 678")]),
        ("612 345 678 / 612 345 678", [("phone", "612 345 678"), ("phone", "612 345 678")]),
        ("El 12/05/2024 a las 10:30 llama al 912345678", [("phone", "912345678")]),
        ("Escribe a wa.me/34612345678", [("phone", "34612345678")]),
        ("4111 1111 1111 1111 12/26 123", [("card", "4111 1111 1111 1111")]),
        ("ES91 2100 0418 4502 0005 1332 para el alquiler", [("iban", "ES91 2100 0418 4502 0005 1332")]),
        ("DNI 12345678 y nada más", [("national_id", "12345678")]),
        ("SSN: 987-65-4321", [("national_id", "987-65-4321")]),
        ("C.I.F. B12345674", [("national_id", "B12345674")]),
        ("postgres://ana:s3cr3t@db.example.com/app", [("password", "s3cr3t")]),
        ("aws secret: wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", [("key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")]),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", [("key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n")]),
        ("ping 2001:db8::ff00:42:8329", [("ip", "2001:db8::ff00:42:8329")]),
    ],
)  # fmt: skip
def test_the_whole_of_it_is_found_and_nothing_of_its_neighbours(text: str, found: list[tuple[str, str]]) -> None:
    assert kinds(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "4111 1111 1111 1112",  # Luhn
        "ES92 2100 0418 4502 0005 1332",  # modulo 97
        "Pedido 612345678, factura 91 123 45 67",
        "Te llamo por el pedido 612345678",
        "El huésped 12345678A, RUT aparte 12.345.678-9, y 111.222.333-44",  # letters and digits that do not check
        "1.234.567,89 € y 1 234 567 habitantes",
        "ISBN 978-84-376-0494-7",
        "Windows 10.0.19041.1, v1.2.3.4, sección 2.3.1.4",
        "192.168.1.10, 10.0.0.1, 127.0.0.1, 255.255.255.0, fe80::1ff:fe23:4567:890a, fd12:3456:789a::1",
        "std::vector<a::b> a; 12:30:45 00:1a:2b:3c:4d:5e",
        "git@github.com:owner/repo.git image@2x.png @ana npm i pkg@1.2.3",
        'api_key = os.environ["OPENAI_API_KEY"]; token=YOUR_TOKEN; secret: ${SECRET}; key=****************',
        "The password is required. La contraseña debe tener 8 caracteres. password: <your password>",
        "The key is to begin early, and the secret is patience.",
        "sk-learn-contrib-with-a-long-name and hf_hub_download_from_somewhere",
        "123e4567-e89b-12d3-a456-426614174000",
        "a1b2c3d4e5f60718293a4b5c6d7e8f9012345678",
        "1914-1918, 2024-05-12T10:30:00, 20240512, 12.05.2024",
        "x = 123456789 * 987654321",
        "40.416775, -3.703790",
        "",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert kinds(text) == []


def test_findings_are_in_order_and_never_overlap() -> None:
    text = "postgres://ana:s3cr3t@db.example.com · ana@example.com · tel. 612 345 678 · DNI 12345678Z"
    text += " · ES91 2100 0418 4502 0005 1332"
    spans = find(text)
    assert len(spans) == 5
    assert all(one.end <= other.start for one, other in pairwise(spans))


def test_every_kind_has_its_check_and_is_replaced() -> None:
    assert all(CHECKS[kind].mend == "replace" for kind in ALL_KINDS)
    assert set(KINDS) == set(ALL_KINDS) - {"name"}


def test_one_value_has_one_placeholder_all_through_an_example() -> None:
    mended = replaced(said("ana@example.com or luis@example.org, +34 612 345 678", "ANA@example.com; tel. 612345678"))
    assert mended.turns[0].text == "[EMAIL_1] or [EMAIL_2], [PHONE_1]"
    assert mended.turns[1].text == "[EMAIL_1]; tel. [PHONE_1]"


def test_what_was_replaced_stays_and_is_not_found_again() -> None:
    once = replaced(said("ana@example.com, llama al 612345678, mi contraseña es Gato1234!", "DNI 12345678Z"))
    assert replaced(once) == once
    assert not any(find(turn.text) for turn in once.turns)


def test_a_placeholder_that_is_there_already_is_not_given_again() -> None:
    mended = replaced(said("[EMAIL_1] wrote to ana@example.com", "[EMAIL_3]"))
    assert mended.turns[0].text == "[EMAIL_1] wrote to [EMAIL_4]"


def test_the_arguments_of_a_tool_stay_json() -> None:
    arguments = '{"to": "ana@example.com", "phone": 612345678, "note": "say \\"hi\\" to ana@example.com"}'
    example = conversation(Turn(Role.USER, "hi"), Turn(Role.ASSISTANT, calls=(Call("mail", arguments),)))
    mended = replace(example, {"turns.1.calls.0.arguments": find(arguments)})
    assert json.loads(mended.turns[1].calls[0].arguments) == {
        "to": "[EMAIL_1]",
        "phone": "[PHONE_1]",
        "note": 'say "hi" to [EMAIL_1]',
    }


def test_nothing_but_the_named_fields_changes() -> None:
    example = Example(
        Kind.PREFERENCE,
        (Turn(Role.USER, "ana@example.com"),),
        (Answer((Turn(Role.ASSISTANT, "ana@example.com"),), 1), Answer((Turn(Role.ASSISTANT, "No."),), 2)),
        source=Source("chat", name="ana@example.com", conversation=3),
    )
    mended = replace(example, {"answers.0.turns.0.text": [Span("email", 0, 15)]})
    assert mended.answers[0].text == "[EMAIL_1]"
    assert (mended.turns, mended.answers[1], mended.source) == (example.turns, example.answers[1], example.source)


def test_names_are_found_where_a_recogniser_is_and_only_there() -> None:
    found = [value for kind, value in kinds("Me llamo Ana García y vivo en Sevilla con mi hermana.") if kind == "name"]
    assert bool(found) == bool(recogniser("es"))
