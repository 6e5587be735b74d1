"""In: a message. Out: a conversion it asks for, as the converter's arguments, or None. Knows nothing of routes.

    "5 millas a km"                      → {"value": 5, "unit": "mile", "to": "kilometer"}
    "how many cups are in two liters?"   → {"value": 2, "unit": "liter", "to": "cup"}
    "convert me to Buddhism"             → None

Both units must be known and measure the same kind of thing.
"""

from __future__ import annotations

import re
from typing import Any

from assistant.routing.spelled import spelled

Arguments = dict[str, Any]

_NAMES = """
length
  kilometer: km kms kilometer kilometers kilometre kilometres kilometro kilometros kilomtros
  meter: m meter meters metre metres metro metros mt mts
  centimeter: cm cms centimeter centimeters centimetre centimetres centimetro centimetros
  millimeter: mm millimeter millimeters millimetre millimetres milimetro milimetros
  micrometer: um micrometer micrometers micron microns micrometro micrometros micra micras
  nanometer: nm nanometer nanometers nanometro nanometros
  mile: mi mile miles milla millas
  nautical mile: nautical_mile nautical_miles milla_nautica millas_nauticas milla_marina millas_marinas
  yard: yd yds yard yards yarda yardas
  foot: ft foot feet foots pie pies
  inch: in inch inches pulgada pulgadas "
  light year: light_year light_years ano_luz anos_luz
mass
  kilogram: kg kgs kilo kilos kilogram kilograms kilogramo kilogramos
  gram: g gr gram grams gramme grammes gramo gramos
  milligram: mg milligram milligrams miligramo miligramos
  tonne: t tonne tonnes metric_ton metric_tons tonelada toneladas
  ton: ton tons short_ton short_tons us_ton us_tons
  pound: lb lbs pound pounds libra libras
  ounce: oz ounce ounces onza onzas
  stone: stone stones st
  arroba: arroba arrobas
  quintal: quintal quintales
volume
  liter: l lt lts liter liters litre litres litro litros
  milliliter: ml milliliter milliliters millilitre millilitres mililitro mililitros cc
  centiliter: cl centiliter centiliters centilitre centilitres centilitro centilitros
  deciliter: dl deciliter deciliters decilitre decilitres decilitro decilitros
  gallon: gal gallon gallons galon galones
  quart: qt quart quarts cuarto_de_galon cuartos_de_galon
  pint: pt pint pints pinta pintas
  cup: cup cups taza tazas
  fl oz: fl_oz floz fluid_ounce fluid_ounces onza_liquida onzas_liquidas
  tablespoon: tbsp tablespoon tablespoons cucharada cucharadas
  teaspoon: tsp teaspoon teaspoons cucharadita cucharaditas
  barrel: barrel barrels barril barriles
  cubic meter: m3 cubic_meter cubic_meters cubic_metre cubic_metres metro_cubico metros_cubicos
  cubic centimeter: cm3 cubic_centimeter cubic_centimeters centimetro_cubico centimetros_cubicos
  cubic foot: ft3 cubic_foot cubic_feet pie_cubico pies_cubicos
  cubic inch: cubic_inch cubic_inches
area
  square meter: m2 sqm square_meter square_meters square_metre square_metres metro_cuadrado metros_cuadrados sq_m
  square kilometer: km2 square_kilometer square_kilometers square_kilometre square_kilometres kilometro_cuadrado kilometros_cuadrados sq_km
  square centimeter: cm2 square_centimeter square_centimeters centimetro_cuadrado centimetros_cuadrados
  square foot: ft2 sqft sq_ft square_foot square_feet pie_cuadrado pies_cuadrados
  square inch: square_inch square_inches sq_in
  square yard: square_yard square_yards
  square mile: square_mile square_miles milla_cuadrada millas_cuadradas sq_mi
  hectare: ha hectare hectares hectarea hectareas
  acre: acre acres
temperature
  celsius: c °c ºc celsius celcius centigrade centigrados degrees_celsius degree_celsius degrees_c degrees_centigrade grados_celsius grado_celsius grados_centigrados grado_centigrado grados_c degc
  fahrenheit: f °f ºf fahrenheit farenheit fahrenheits degrees_fahrenheit degree_fahrenheit degrees_f grados_fahrenheit grado_fahrenheit grados_f degf
  kelvin: k °k kelvin kelvins degrees_kelvin grados_kelvin
time
  second: s sec secs second seconds segundo segundos
  minute: min mins minute minutes minuto minutos
  hour: h hr hrs hour hours hora horas
  day: day days dia dias
  week: week weeks semana semanas
  month: month months mes meses
  year: year years ano anos
  century: century centuries siglo siglos
  millisecond: ms millisecond milliseconds milisegundo milisegundos
speed
  km/h: km/h kmh kph kmph kilometers_per_hour kilometres_per_hour kilometros_por_hora kilometro_por_hora km_per_hour km_por_hora
  mph: mph mi/h miles_per_hour mile_per_hour millas_por_hora milla_por_hora
  m/s: m/s meters_per_second metres_per_second metros_por_segundo metro_por_segundo
  ft/s: ft/s feet_per_second pies_por_segundo
  knot: kn kt kts knot knots nudo nudos
pressure
  pascal: pa pascal pascals pascales
  kilopascal: kpa kilopascal kilopascals kilopascales
  hectopascal: hpa hectopascal hectopascals hectopascales
  bar: bar bars bares
  millibar: mbar millibar millibars milibar milibares
  atmosphere: atm atmosphere atmospheres atmosfera atmosferas
  psi: psi
  mmHg: mmhg
energy
  joule: j joule joules julio julios
  kilojoule: kj kilojoule kilojoules kilojulio kilojulios
  calorie: cal calorie calories caloria calorias
  kilocalorie: kcal kilocalorie kilocalories kilocaloria kilocalorias
  kilowatt hour: kwh kilowatt_hour kilowatt_hours kilovatio_hora kilovatios_hora
  watt hour: wh watt_hour watt_hours
  BTU: btu btus
power
  watt: w watt watts vatio vatios
  kilowatt: kw kilowatt kilowatts kilovatio kilovatios
  megawatt: mw megawatt megawatts megavatio megavatios
  horsepower: hp horsepower caballos caballo_de_vapor caballos_de_vapor cv
data
  byte: byte bytes
  bit: bit bits
  kilobyte: kb kilobyte kilobytes
  megabyte: mb megabyte megabytes mega megas
  gigabyte: gb gigabyte gigabytes giga gigas
  terabyte: tb terabyte terabytes tera teras
  gibibyte: gib gibibyte gibibytes
  mebibyte: mib mebibyte mebibytes
angle
  degree: degree degrees grado grados deg °
  radian: rad radian radians radian radianes
force
  newton: n newton newtons
  lbf: lbf pound_force pounds_force libra_fuerza libras_fuerza
"""


def _read_names() -> dict[str, tuple[str, str]]:
    """Name → (unit, kind)."""
    known: dict[str, tuple[str, str]] = {}
    kind = ""
    for line in filter(None, _NAMES.split("\n")):
        if not line.startswith(" "):
            kind = line
            continue
        unit, _, names = line.strip().partition(": ")
        known |= {name.replace("_", " "): (unit, kind) for name in names.split()}
    return known


_KNOWN = _read_names()
_U = "(?:" + "|".join(sorted(map(re.escape, _KNOWN), key=len, reverse=True)) + r")(?![\w/])"
_N = r"-?\d+(?:\.\d+)?"
_VALUE = rf"(?P<value>{_N}|half an?|1/2|a quarter of an?|medi[oa]|un cuarto de|(?:an?|un|una|1)?)"
_SOURCE = rf"{_VALUE} ?(?:of )?(?P<unit>{_U})(?P<half> and a half| y medi[oa])?"
_SOURCE_2 = rf"(?P<value>{_N}) ?(?P<unit>feet|foot|ft|pies|pounds?|lbs?|libras|hours?|horas?|h|stone|minutes|minutos)(?: and| y|,)? (?P<value2>{_N}) ?(?P<unit2>{_U})?"
_TO = rf"(?:the |los |las )?(?P<to>{_U})"
_ASK = r"(?:(?:hey|hi|hello|ok|so|and|now|please|pls|afina|hola|oye|y|ahora|por favor|porfa|can you|could you|would you|i (?:want|need|would like) to(?: know)?|tell me|give me|me puedes|puedes|podrias|me podrias|quiero|quiero saber|necesito(?: saber)?|dime|saber|do you know|sabes|help me)[, ]+)*"
_DO = r"(?:convert|change|turn|transform|express|translate|put|write|make|calculate|convierte(?:me)?|convertir|convirteme|convertirme|pasa(?:me)?|pasar|cambia|transforma|expresa|expresar|traduce|pon|calcula)"
_IS = r"(?:what(?: is|s| s| are)?|whats|how much (?:is|are)|how (?:long|heavy|tall|far|hot|cold|fast|big|many|much) (?:is|are|in)|cuanto (?:es|son|mide|pesa|hace|seria|serian)|cuantos? son|a cuanto (?:equivale|equivalen|son|esta|estan)|que son|the value of|is|son|es)"
_INTO = r"(?:to|in|into|as|in terms of|on|equals|a|en|al|hasta|hacia|=|->|como|expressed in|expresad[oa]s? en|convertid[oa]s? a|is how many|are how many|equals how many|how many|son cuant[oa]s|cuant[oa]s(?: son)?|is what in|a cuant[oa]s|que son en|in how many|en cuant[oa]s)"
_MAKE = r"(?:are there|are|is|is there|do|does|make|makes|there are|would|be|were|hay|son|tiene|tienen|equivalen?|equivale|mide|pesa|caben|supone|hacen|forman|dura|contiene|that is|that)"
_PATTERNS = [
    rf"(?:{_DO} )?(?:{_IS} )?(?:from |de |los |las |el |the )?SOURCE(?: exactly)? {_INTO} {_TO}",
    rf"(?:how many|cuant[oa]s|how much|number of|cuanto en) {_TO}(?: (?:{_MAKE}|you|we|i|get|go|fit|in total))* (?:in|into|to|en|a|for|from|of|is|are|make up)?(?: (?:a|the))?(?: ?)SOURCE(?: have| has| make| is| are| equal| contain| last)?",
    rf"(?:how many|cuant[oa]s) {_TO} SOURCE (?:is|are|have|has|make|makes|equals?|contains?|son|tiene|tienen)",
    rf"a cuant[oa]s {_TO} (?:equivalen?|son|corresponden?|estan|esta) (?:a )?SOURCE",
    rf"(?:how many|cuant[oa]s) {_TO} (?:has|have|does|do|tiene|tienen|hay en|mide|dura|pesa) (?:a |an |un |una |the )?SOURCE(?: have| contain| last)?",
    rf"(?:{_DO} )(?:a|to|into|en) {_TO}:? SOURCE",
    rf"(?:{_IS} )?(?:.{{2,24}} )?(?:is|es|son|was|mide|pesa) SOURCE,? (?:how many|cuant[oa]s|what is that in|cuanto es en|que es en|whats that in) {_TO}(?: is that| is it| are that| are those| son| es eso| is this)?",
    rf"SOURCE,? (?:how many|cuant[oa]s|what is that in|what s that in|cuanto es en|cuanto es eso en|eso en) {_TO}(?: is that| is it| are that| son| es eso)?",
    rf"(?:how much|cuanto) (?:is|are|es|son|mide|pesa)(?: a| an| un| una)? SOURCE {_INTO} {_TO}",
]  # fmt: skip
_COMPILED = [
    re.compile(_ASK + pattern.replace("SOURCE", source)) for pattern in _PATTERNS for source in (_SOURCE_2, _SOURCE)
]
_AGAIN = re.compile(
    rf"(?:(?:and|now|ahora|y|or|what about|how about|but|pero|que tal|same|lo mismo|give me that|pasalo|convert (?:it|that)|conviertelo|put it|expresalo),? )*(?:in|to|into|en|a) {_TO}"
)
_ARTICLE = {"": 1.0, "a": 1.0, "an": 1.0, "un": 1.0, "una": 1.0, "1": 1.0}
_AMBIGUOUS = {
    "in",
    "m",
    "g",
    "s",
    "h",
    "c",
    "f",
    "k",
    "l",
    "n",
    "w",
    "j",
    "st",
    "pt",
    "mi",
    "cal",
    "bar",
    "degree",
    "degrees",
    "min",
}


def read(message: str, language: str) -> Arguments | None:
    text = _tidy(spelled(message, language))
    if not 3 <= len(text) <= 160:
        return None
    for pattern in _COMPILED:
        found = pattern.fullmatch(text)
        arguments = _arguments(found.groupdict()) if found else None
        if arguments is not None:
            return arguments
    return None


def again(message: str, before: Arguments, language: str) -> Arguments | None:
    """A follow-up to a conversion: "and in miles?"."""
    found = _AGAIN.fullmatch(_tidy(spelled(message, language)))
    if found is None:
        return None
    unit, kind = _KNOWN[found["to"]]
    same = any(kind == other_kind and other == before.get("unit") for other, other_kind in _KNOWN.values())
    return {**before, "to": unit} if same else None


def _tidy(text: str) -> str:
    text = re.sub(r"(?<=[a-z])['’](?=[a-z])", " ", text)
    text = re.sub(r"(?<=\d)['’](?=\s?\d)", " feet ", text)
    text = re.sub(r"[¿?¡!“”«»();]|\.(?!\d)|,(?=\s|$)", " ", text)
    text = re.sub(r"(?<=m)\^(?=[23])", "", text)
    text = re.sub(r"\bdegrees?(?= [cfk]\b)", "°", text).replace("° ", "°")
    text = re.sub(r"\s+", " ", text).strip(" ,.:=")
    return re.sub(
        r"(?: (?:please|pls|for me|thanks|thank you|por favor|porfa|gracias|exactly|approximately|aproximadamente|exactamente|is that|are there|equal|equals|son|es|units?))+$",
        "",
        text,
    )


def _arguments(found: dict[str, str | None]) -> Arguments | None:
    name, to_name = str(found["unit"]), str(found["to"])
    if name not in _KNOWN or to_name not in _KNOWN:
        return None
    (unit, kind), (to, to_kind) = _KNOWN[name], _KNOWN[to_name]
    if kind == "mass" and to_kind == "volume" and unit == "ounce":
        unit, kind = "fl oz", "volume"
    if kind == "volume" and to == "ounce":
        to, to_kind = "fl oz", "volume"
    if kind == "angle" and to_kind == "temperature" and to in ("celsius", "fahrenheit"):
        unit, kind = ("fahrenheit" if to == "celsius" else "celsius"), "temperature"
    if kind != to_kind or unit == to:
        return None
    written = (found["value"] or "").strip()
    if not written and name in _AMBIGUOUS:
        return None
    value = _ARTICLE.get(written)
    if value is None:
        value = (
            0.5
            if written.startswith(("half", "medi", "1/2"))
            else 0.25
            if "quarter" in written or "cuarto" in written
            else float(written)
        )
    value += 0.5 if found.get("half") else 0.0
    if found.get("value2"):
        value = _both(value, unit, float(found["value2"] or 0), _KNOWN.get(found.get("unit2") or "", ("", ""))[0])
    return {"value": int(value) if value == int(value) else round(value, 10), "unit": unit, "to": to}


_PARTS = {
    ("foot", "inch"): 12,
    ("pound", "ounce"): 16,
    ("hour", "minute"): 60,
    ("minute", "second"): 60,
    ("stone", "pound"): 14,
}


def _both(value: float, unit: str, further: float, small: str) -> float:
    """ "6 feet 2" and "5 pounds 3 ounces" in the larger unit."""
    parts = _PARTS.get((unit, small)) or next((n for (one, _), n in _PARTS.items() if one == unit and not small), 0)
    return value + further / parts if parts else value
