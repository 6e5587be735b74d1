"""Citations: a sentence is verified only when a passage says it, and the number is the passage that does."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from knowledge.answers.citations import Citing, Claim, check_sentence
from knowledge.answers.evidence import Evidence, Ranking, rank
from knowledge.answers.sentences import split
from knowledge.answers.support import judge, names, negated, numbers
from knowledge.embedders import Embedder
from knowledge.values import FloatMatrix, Page, Passage

PAGES = [
    "Brenmoor Energy was founded by Ottoline Farrow, an engineer from Whitby, after the floods of 1998. "
    "It does not own any gas plants, but it buys gas without tax.",
    "Today Brenmoor Energy operates 212 wind turbines along the northern coast. Revenue was 1,577 million euros.",
    "Energía Valdelmar opera 187 aerogeneradores en la costa del sur. No tiene centrales nucleares. "
    "El laboratorio de Almenara está dirigido por Inés Cardona desde 2011.",
]
WHO = "Who founded Brenmoor Energy?"
MANY = "How many wind turbines does Brenmoor Energy operate?"


class Shelf:
    """Three pages, one passage each: a library small enough to see whole."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.passages = [
            Passage(i, f"{i}.txt", 1, i, text, 0, len(text), 0.5, 0.5, 0.5) for i, text in enumerate(PAGES)
        ]

    def page(self, document: int, number: int) -> Page:
        return Page(number, PAGES[document])

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        return self._embedder.embed(texts)


@pytest.fixture
def shelf(embedder: Embedder) -> Shelf:
    return Shelf(embedder)


def checked(shelf: Shelf, sentence: str, question: str) -> Claim:
    ranking = rank(question, shelf.passages, shelf, "")
    return check_sentence(sentence, question, ranking, shelf.passages, shelf)


@pytest.mark.parametrize(
    ("sentence", "question", "passage"),
    [
        ("Brenmoor Energy was founded by Ottoline Farrow [1].", WHO, 1),
        ("Brenmoor Energy was founded by Ottoline Farrow, an engineer from Whitby, after the floods of 1998.", WHO, 1),
        ("Brenmoor Energy was founded by Ottoline Farrow [2].", WHO, 1),  # the wrong number
        ("Brenmoor Energy was founded by Ottoline Farrow [77].", WHO, 1),  # no such passage
        ("- It operates **212** wind turbines along the coast", MANY, 2),
        ("Ottoline Farrow", WHO, 1),
        ("212 [2]", MANY, 2),
        ("Revenue was 1577 million euros [2].", "What was the revenue?", 2),
        ("No, Brenmoor Energy does not own any gas plants.", "Does it own gas plants?", 1),
        ("Energía Valdelmar opera 187 aerogeneradores [3].", "¿Cuántos aerogeneradores opera Energía Valdelmar?", 3),
        ("Inés Cardona", "¿Quién dirige el laboratorio de Almenara?", 3),
    ],
)
def test_what_a_passage_says_is_verified_and_cites_that_passage(
    shelf: Shelf, sentence: str, question: str, passage: int
) -> None:
    claim = checked(shelf, sentence, question)
    assert {e.passage for e in claim.evidence} == {passage}
    assert claim.marked([7]).count("[") == 1
    assert "[7]" in claim.marked([7])


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("Brenmoor Energy operates 213 wind turbines [2].", MANY),  # another number
        ("Brenmoor Energy operates 212 wind turbines since 2004 [2].", MANY),  # a number more
        ("Brenmoor Energy was founded by Marie Curie [1].", WHO),  # another name
        ("Brenmoor Energy was founded by Ottoline Smith, an engineer from Whitby, after the floods of 1998.", WHO),
        ("Brenmoor Energy owns gas plants [1].", "Does it own gas plants?"),  # denied there
        ("Brenmoor Energy does not operate wind turbines [2].", MANY),  # said there
        ("Energía Valdelmar tiene centrales nucleares.", "¿Tiene centrales nucleares?"),
        ("Energía Valdelmar opera 178 aerogeneradores [3].", "¿Cuántos aerogeneradores opera?"),
        ("It is the largest and most admired company of the whole country [1].", WHO),
        ("213", MANY),
        ("The floods", MANY),  # no number, where a number was asked for
        ("[1]", WHO),
        ("", WHO),
    ],
)
def test_what_no_passage_says_is_not_verified(shelf: Shelf, sentence: str, question: str) -> None:
    claim = checked(shelf, sentence, question)
    assert not claim.verified
    assert "[" not in claim.marked([])


def test_numbers_count_stretches_as_they_are_first_cited_and_a_stretch_keeps_its_own(shelf: Shelf) -> None:
    citing = Citing(shelf.passages, shelf)
    said = [
        ("It operates 212 wind turbines.", MANY),
        ("Brenmoor Energy was founded by Ottoline Farrow.", WHO),
        ("It does not own any gas plants.", "Does it own gas plants?"),
        ("Brenmoor Energy was founded by Ottoline Farrow.", WHO),
    ]
    assert [citing.cite(checked(shelf, *one).evidence) for one in said] == [(1,), (2,), (3,), (2,)]
    assert [c.n for c in citing.citations] == [1, 2, 3]
    for citation in citing.citations:
        page = PAGES[citation.document]
        assert page[citation.start : citation.end] == citation.quote
        assert citation.quote.count(".") == 1  # one sentence, although two of one page are cited
    assert citing.citations[1].quote.endswith("floods of 1998.")
    assert citing.citations[2].quote.startswith("It does not own")


def test_of_two_sentences_with_its_words_the_one_that_says_them_in_a_row_is_cited(shelf: Shelf) -> None:
    near = "Sales growth of 9.0% was driven primarily by gaming, offset by declines in virtual reality and drones."
    exact = "Sales growth of 2.5% was driven primarily by gaming and drones, offset by declines in virtual reality."
    texts = [near, exact]
    passages = [Passage(i, "a.txt", i + 1, i, text, 0, len(text), 0.5, 0.5, 0.5) for i, text in enumerate(texts)]
    ranked = tuple(Evidence(n, 0, len(text), text, n, -n) for n, text in enumerate(texts, 1))
    said = "The sales growth was driven primarily by gaming and drones."
    claim = check_sentence(said, "What drove sales?", Ranking(ranked, 1.0, ""), passages, shelf)
    assert [e.text for e in claim.evidence] == [exact]


def test_two_neighbouring_sentences_of_one_claim_are_one_stretch(shelf: Shelf) -> None:
    said = "Brenmoor Energy was founded by Ottoline Farrow after the floods of 1998 and does not own any gas plants."
    claim = checked(shelf, said, WHO)
    assert len(claim.evidence) == 2
    citing = Citing(shelf.passages, shelf)
    assert citing.cite(claim.evidence) == (1,)
    assert citing.citations[0].quote == PAGES[0]


def test_sentences_with_another_between_them_are_two_stretches(shelf: Shelf) -> None:
    found = sorted(rank(WHO, shelf.passages, shelf, "").sentences, key=lambda e: e.order)
    first, _, third = [e for e in found if e.passage == 3]
    citing = Citing(shelf.passages, shelf)
    assert citing.cite([first, third]) == (1, 2)
    assert [c.quote for c in citing.citations] == [first.text, third.text]


def test_a_sentence_with_two_passages_may_rest_on_both(shelf: Shelf) -> None:
    for marks in ("[1][2]", "[1, 2]"):
        claim = checked(shelf, f"Ottoline Farrow founded it and it operates 212 wind turbines {marks}.", WHO)
        assert [e.passage for e in claim.evidence] == [1, 2]
        numbers = Citing(shelf.passages, shelf).cite(claim.evidence)
        assert claim.marked(numbers).endswith("turbines [1][2].")


def test_links_and_html_of_a_model_do_not_get_through(shelf: Shelf) -> None:
    claim = checked(shelf, "![x](http://elsewhere/?q=1) Ottoline Farrow founded <b>Brenmoor</b> Energy.", WHO)
    assert "http" not in claim.text
    assert "<" not in claim.text


def test_numbers_are_the_same_however_they_are_written() -> None:
    assert numbers("1,577 and 1.577 and 1577 and 3.50 and 3,5 and twelve and doce") == {"1577", "3.5", "12"}


def test_a_capital_at_the_beginning_is_no_name_and_later_it_is() -> None:
    assert names("Revenue of Brenmoor rose. The NASA agreed.") == {"brenmoor", "nasa"}


def test_a_denial_elsewhere_in_the_sentence_is_no_denial_of_this() -> None:
    text = "Ann Lee runs the shop, which opened in 2001, and she has never been to the coast of France."
    assert judge("Ann Lee runs the shop.", text, "", "en").negation
    assert not judge("Ann Lee has been to the coast.", text, "", "en").negation
    assert negated("it isn't")
    assert negated("no lo tiene")


EN = (
    "Kestrel Holdings reported revenue of $41.3 million in 2020 and $52.8 million in 2021. "
    "Operating costs fell 3% in 2021, while sales rose 28%. "
    "Net profit was $4.1 million, compared to $6.2 million in 2019. "
    "The company employs 212 people and operates 90 wind turbines. "
    "It was founded by Ada Moreland before the floods of 1998. "
    "Tarn Holdings employs 40 people. "
    "Revenue increased primarily due to higher prices and new customers. "
    "Gross margin increased primarily due to favorable channel mix shifts. "
    "The plant closed in March and the office opened in May. "
    "The school on the hill was built in 1931."
)
ES = (
    "La empresa Valdelmar obtuvo unos ingresos de 41,3 millones de euros en 2020 y de 52,8 millones de euros en 2021. "
    "Los costes disminuyeron un 3 % en 2021, mientras las ventas aumentaron un 28 %. "
    "La ganancia fue de 6 millones de euros. "
    "La plantilla es de 212 personas y la flota de 90 aerogeneradores. "
    "Fue fundada por Inés Cardona antes de las inundaciones de 1998. "
    "La planta tiene más de 300 vecinos. "
    "Las ventas crecieron debido a los precios. El margen creció debido a las importaciones. "
    "La escuela del monte fue construida en 1931."
)
CITY = (
    "Warsaw was first mentioned in 1313 and became the capital of Poland in 1596. "
    "The population was 1,711,324 in 2012, up from 1,299,000 in 1970. "
    "Marie Curie was born in Warsaw in 1867. She won the Nobel Prize in 1903. "
    "Frédéric Chopin, the composer, was born near Warsaw in 1810 and moved to Paris in 1831."
)
FIRM = (
    "Iberia Solar cerró 2022 con un beneficio de 4.339 millones de euros, un 11,7 % más que en 2021. "
    "La deuda bajó hasta 43.749 millones. El primer trimestre dejó ventas de 12.150 millones y el segundo trimestre de "
    "12.280 millones. Ignacio Prado preside la compañía desde 2001."
)
SHOP = (  # two paragraphs of an earnings release, shortened
    "Net sales increased 18.2% to $3.2 billion compared to $2.7 billion in the fourth quarter\nof fiscal 2021 "
    "primarily due to the favorable impact from the resilience of the beauty category and retail price increases. "
    "As a percentage of net sales, gross profit of 37.6% was flat compared to the fourth quarter of fiscal 2021, "
    "primarily due to leverage of fixed costs and favorable channel mix shifts."
)
TRUE = [
    (SHOP, "Net sales were $3.2 billion."),
    (SHOP, "Net sales increased 18.2% to $3.2 billion, primarily due to retail price increases."),
    (CITY, "Warsaw became the capital of Poland in 1596."),
    ("The solar plant opened in 2016 and closed in 2020.", "The solar plant closed in 2020."),
    (CITY, "In 1970 the population was 1,299,000."),
    (CITY, "Marie Curie won the Nobel Prize in 1903."),
    (CITY, "Marie Curie, born in Warsaw in 1867, won the Nobel Prize in 1903."),
    (CITY, "The composer Frédéric Chopin moved to Paris in 1831."),
    (FIRM, "El beneficio de Iberia Solar en 2022 fue de 4.339 millones de euros."),
    (FIRM, "La deuda se redujo a 43.749 millones."),
    (FIRM, "Las ventas del segundo trimestre fueron de 12.280 millones."),
    (EN, "Revenue was $41.3 million in 2020."),
    (EN, "In 2021, revenue was $52.8 million."),
    (EN, "Kestrel Holdings reported revenue of $41.3 million in 2020 and $52.8 million in 2021."),
    (EN, "Kestrel Holdings reported revenues of 41.3 million dollars in 2020."),
    (EN, "Sales increased 28 percent in 2021."),
    (EN, "Operating costs decreased 3% in 2021."),
    (EN, "Net profit was $4.1 million."),
    (EN, "The company employs 212 people."),
    (EN, "Kestrel Holdings employs 212 people and operates 90 wind turbines."),
    (EN, "The company has 90 wind turbines."),
    (EN, "The company was founded by Ada Moreland before the floods of 1998."),
    (EN, "Revenue rose mainly because of higher prices and new customers."),
    (EN, "The office opened in May."),
    (EN, "The school was constructed in 1931."),
    (ES, "Los ingresos fueron de 41,3 millones de euros en 2020."),
    (ES, "En 2021 los ingresos fueron de 52,8 millones de euros."),
    (ES, "Las ventas subieron un 28 por ciento."),
    (ES, "La plantilla es de 212 personas."),
    (ES, "La empresa fue creada por Inés Cardona antes de las inundaciones de 1998."),
    (ES, "Las ventas aumentaron debido a los precios."),
    (ES, "La escuela fue construida en 1931."),
]
FALSE = [
    (SHOP, "Net sales in the fourth quarter were $3.2 billion, primarily due to favorable channel mix shifts."),
    (SHOP, "Net sales were $3.2 billion in the fourth quarter of fiscal 2021."),
    (SHOP, "Net sales decreased 18.2% to $3.2 billion."),
    (SHOP, "Net sales were $2.7 billion compared to $3.2 billion in the fourth quarter of fiscal 2021."),
    (CITY, "Warsaw became the capital of Poland in 1313."),
    ("The solar plant opened in 2016 and closed in 2020.", "The solar plant opened in 2020."),
    (CITY, "The population was 1,299,000 in 2012."),
    (CITY, "The population was 1,711,324 in 2012, down from 1,299,000 in 1970."),
    (CITY, "Marie Curie won the Nobel Prize in 1867."),
    (CITY, "Chopin moved to Paris in 1810."),
    (CITY, "Chopin won the Nobel Prize in 1903."),
    (CITY, "Frédéric Chopin was born in Warsaw in 1867."),
    (FIRM, "Iberia Solar cerró 2021 con un beneficio de 4.339 millones de euros."),
    (FIRM, "Las ventas del primer trimestre fueron de 12.280 millones."),
    (FIRM, "El beneficio fue de 43.749 millones."),
    (FIRM, "Iberia Solar cerró 2022 con una pérdida de 4.339 millones de euros."),
    (FIRM, "El beneficio fue un 11,7 % menos que en 2021."),
    (EN, "Revenue was $52.8 million in 2020."),  # years exchanged
    (EN, "Kestrel Holdings reported revenue of $52.8 million in 2020 and $41.3 million in 2021."),
    (EN, "Revenue was $41.3 million pounds in 2020."),  # a unit more
    (EN, "Revenue was $41.3 billion in 2020."),  # scale
    (EN, "Revenue was €41.3 million in 2020."),  # currency
    (EN, "Sales rose $28 million in 2021."),  # unit
    (EN, "Operating costs rose 3% in 2021."),  # opposite
    (EN, "Operating costs fell 28% in 2021, while sales rose 3%."),  # figures exchanged
    (EN, "Kestrel Holdings reported profit of $41.3 million in 2020."),  # another noun
    (EN, "Net profit was $6.2 million, compared to $4.1 million in 2019."),
    (EN, "Net loss was $4.1 million."),
    (EN, "The company employs 90 people."),
    (EN, "Kestrel Holdings employs 40 people."),  # another's
    (EN, "It was founded by Ada Moreland after the floods of 1998."),
    (EN, "Revenue increased primarily due to favorable channel mix shifts."),  # the neighbour's reason
    (EN, "The plant opened in March and the office closed in May."),
    (EN, "The hospital on the hill was built in 1931."),
    (EN, "The company employs 212 people, more than 300 of them engineers."),
    (ES, "Los ingresos fueron de 52,8 millones de euros en 2020."),
    (ES, "Los ingresos fueron de 41,3 millones de dólares en 2020."),
    (ES, "Los costes aumentaron un 3 % en 2021."),
    (ES, "La pérdida fue de 6 millones de euros."),
    (ES, "La planta tiene menos de 300 vecinos."),
    (ES, "Fue fundada por Inés Cardona después de las inundaciones de 1998."),
    (ES, "Fue fundada por Inés Robledo antes de las inundaciones de 1998."),
    (ES, "La plantilla es de 90 personas."),
    (ES, "Las ventas crecieron debido a las importaciones."),
    (ES, "El hospital del monte fue construido en 1931."),
]


def told(text: str, sentence: str) -> Claim:
    passage = Passage(1, "report.txt", 1, 1, text, 0, len(text), 0.5, 0.5, 0.5)
    found = tuple(Evidence(1, a, b, text[a:b], n, -0.1 * n) for n, (a, b) in enumerate(split(text)))
    return check_sentence(sentence, "What does the report say?", Ranking(found, 1.0, ""), [passage], Nothing())


class Nothing:
    """A library that is not asked."""

    def page(self, document: int, number: int) -> Page:
        raise AssertionError

    def embed(self, texts: Sequence[str]) -> FloatMatrix:
        raise AssertionError


@pytest.mark.parametrize(("text", "sentence"), TRUE)
def test_what_a_report_says_in_its_own_or_near_words_is_verified(text: str, sentence: str) -> None:
    assert told(text, sentence).verified


@pytest.mark.parametrize(("text", "sentence"), FALSE)
def test_what_a_report_says_of_another_year_thing_name_or_direction_is_not(text: str, sentence: str) -> None:
    assert [e.text for e in told(text, sentence).evidence] == []
