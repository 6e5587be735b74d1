"""In: the name of a unit in English or Spanish. Out: the unit, as the vendor's table calls it, and how it is written.

    find("kilómetros por hora") → Unit("kilometer / hour", "km/h")      find("ft²") → Unit("foot ** 2", "ft²")

Every name below was written by hand, so that "onza", "pie" and "grado" mean what people mean by them; what is not here
is left to the vendor. Knows nothing of amounts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from assistant.tools.places import fold

# vendor's name | how it is written: a sign, or one~many~uno~muchos | names, whose plurals are made from them
_TABLE = """
millimeter|mm|mm,millimeter,millimetre,milímetro
centimeter|cm|cm,centimeter,centimetre,centímetro
decimeter|dm|dm,decimeter,decimetre,decímetro
meter|m|m,meter,metre,metro,mts,mt
hectometer|hm|hm,hectometer,hectómetro
kilometer|km|km,kms,kilometer,kilometre,kilómetro,klick
micrometer|µm|µm,micrometer,micrometre,micrómetro,micron,micra
nanometer|nm|nm,nanometer,nanometre,nanómetro
inch|in|in,inch,inches,pulgada,"
foot|ft|ft,foot,feet,pie,'
yard|yd|yd,yard,yarda
mile|mi|mi,mile,milla
nautical_mile|nmi|nmi,nautical mile,milla náutica,sea mile
light_year|ly|ly,light year,lightyear,año luz
astronomical_unit|au|au,astronomical unit,unidad astronómica
parsec|pc|parsec,pársec
international_fathom|fathom~fathoms~braza~brazas|fathom,braza
international_furlong|furlong~furlongs~furlong~furlongs|furlong
microgram|µg|µg,mcg,microgram,microgramo
milligram|mg|mg,milligram,miligramo
gram|g|g,gr,gram,gramme,gramo
kilogram|kg|kg,kgs,kilo,kilogram,kilogramme,kilogramo
metric_ton|t|t,tonne,metric ton,tonelada,tonelada métrica
short_ton|US ton~US tons~tonelada corta~toneladas cortas|ton,short ton,us ton,tonelada corta
long_ton|long ton~long tons~tonelada larga~toneladas largas|long ton,imperial ton,tonelada larga
pound|lb|lb,lbs,pound,libra
ounce|oz|oz,ounce,onza
stone|st|st,stone,stones
carat|ct|ct,carat,quilate
quintal_metrico|q|quintal
arroba|@|arroba
milliliter|ml|ml,mL,milliliter,millilitre,mililitro,cc
centiliter|cl|cl,cL,centiliter,centilitre,centilitro
deciliter|dl|dl,dL,deciliter,decilitre,decilitro
liter|l|l,L,liter,litre,litro
hectoliter|hl|hl,hectoliter,hectolitre,hectolitro
gallon|gal (US)|gal,gallon,galón,galones,us gallon,galón americano
imperial_gallon|gal (UK)|imperial gallon,uk gallon,galón imperial,galón inglés
quart|qt (US)|qt,quart,cuarto de galón
pint|pt (US)|pt,pint,pinta
imperial_pint|pt (UK)|imperial pint,uk pint,pinta imperial,pinta inglesa
cup|cup (US)~cups (US)~taza (EE. UU.)~tazas (EE. UU.)|cup,taza
fluid_ounce|fl oz (US)|fl oz,floz,fluid ounce,onza líquida,onza fluida
tablespoon|tbsp|tbsp,tablespoon,cucharada,cucharada sopera
teaspoon|tsp|tsp,teaspoon,cucharadita
oil_barrel|bbl|bbl,barrel,barril,barriles
degree_Celsius|°C|°C,ºC,C,celsius,degC,\
degree celsius,degrees celsius,grado celsius,grados celsius,\
centigrade,centígrado,degrees centigrade,grado centígrado,grados centígrados,grados c,degrees c
degree_Fahrenheit|°F|°F,ºF,F,fahrenheit,degF,\
degree fahrenheit,degrees fahrenheit,grado fahrenheit,grados fahrenheit,grados f,degrees f
kelvin|K|K,kelvin,grados kelvin
degree_Rankine|°R|rankine,grados rankine
degree|°|°,º,deg,degree,grado
radian|rad|rad,radian,radián
arcminute|′|arcminute,minuto de arco
arcsecond|″|arcsecond,segundo de arco
turn|turn~turns~vuelta~vueltas|turn,revolution,vuelta,revolución,revoluciones
millisecond|ms|ms,millisecond,milisegundo
second|s|s,sec,second,segundo,seg
minute|min|min,minute,minuto
hour|h|h,hr,hrs,hour,hora
day|day~days~día~días|d,day,día
week|week~weeks~semana~semanas|week,semana
month|month~months~mes~meses|month,mes,meses
year|year~years~año~años|yr,year,año
decade|decade~decades~década~décadas|decade,década
century|century~centuries~siglo~siglos|century,centuries,siglo
are|a|are,área
hectare|ha|ha,hectare,hectárea
international_acre|acre~acres~acre~acres|acre
knot|kn|kn,knot,nudo
mile / hour|mph|mph
kilometer / hour|km/h|kmh,kph,km/h
meter / second|m/s|mps
speed_of_light|c|speed of light,velocidad de la luz
bit|bit|bit
byte|B|B,byte,octet,octeto
kilobyte|kB|kB,KB,kilobyte
megabyte|MB|MB,megabyte,mega
gigabyte|GB|GB,gigabyte,giga
terabyte|TB|TB,terabyte,tera
petabyte|PB|PB,petabyte
kibibyte|KiB|KiB,kibibyte
mebibyte|MiB|MiB,mebibyte
gibibyte|GiB|GiB,gibibyte
tebibyte|TiB|TiB,tebibyte
kilobit|kbit|kbit,kilobit
megabit|Mbit|Mb,Mbit,megabit
gigabit|Gbit|Gb,Gbit,gigabit
megabit / second|Mbit/s|Mbps
gigabit / second|Gbit/s|Gbps
joule|J|J,joule,julio,julios
kilojoule|kJ|kJ,kilojoule,kilojulio
megajoule|MJ|MJ,megajoule,megajulio
thermochemical_calorie|cal|cal,calorie,caloría
kilocalorie|kcal|kcal,kilocalorie,kilocaloría
watt_hour|Wh|Wh,watt hour,vatio hora
kilowatt_hour|kWh|kWh,kilowatt hour,kilovatio hora,kilovatios hora
british_thermal_unit|BTU|BTU,btu
electron_volt|eV|eV,electronvolt,electronvoltio
watt|W|W,watt,vatio
kilowatt|kW|kW,kilowatt,kilovatio
megawatt|MW|MW,megawatt,megavatio
horsepower|hp|hp,horsepower,caballo de fuerza,caballos de fuerza
metric_horsepower|CV|CV,cv,metric horsepower,caballo de vapor,caballos de vapor,caballo,ps
pascal|Pa|Pa,pascal,pascales
hectopascal|hPa|hPa,hectopascal
kilopascal|kPa|kPa,kilopascal
bar|bar|bar,bares
millibar|mbar|mbar,millibar,milibar
standard_atmosphere|atm|atm,atmosphere,atmósfera
pound_force_per_square_inch|psi|psi
mmHg|mmHg|mmHg,millimeter of mercury,milímetro de mercurio,torr
newton|N|N,newton,newtons
kilogram_force|kgf|kgf,kilogram force,kilogramo fuerza
pound_force|lbf|lbf
hertz|Hz|Hz,hertz,hercio
kilohertz|kHz|kHz,kilohertz,kilohercio
megahertz|MHz|MHz,megahertz,megahercio
gigahertz|GHz|GHz,gigahertz,gigahercio
revolutions_per_minute|rpm|rpm
volt|V|V,volt,voltio
ampere|A|A,ampere,amp,amperio
ohm|Ω|Ω,ohm,ohmio
mile / gallon|mpg|mpg
"""
_CURRENCIES = (
    "euro euros dollar dollars dolar dolares usd eur gbp jpy mxn ars clp cop pen brl cny chf cad aud pesos yen yenes "
    "yuan rupee rupees rupia rupias soles reales bitcoin bitcoins btc eth franco francos suizos krona rublo rublos "
    "ruble rubles inr krw won"
)
CURRENCIES = frozenset(_CURRENCIES.split())
_POWERS = {"square": 2, "sq": 2, "cubic": 3, "cu": 3, "cuadrado": 2, "cuadrada": 2, "cubico": 3, "cubica": 3}
_POWERS |= {f"{word}s": power for word, power in _POWERS.items() if word.endswith(("o", "a"))}
_SUPER = {"²": 2, "³": 3}


@dataclass(frozen=True, slots=True)
class Unit:
    vendor: str  # "kilometer / hour"
    shown: str  # "km/h"; or "week~weeks~semana~semanas"

    def written(self, language: str = "en", *, one: bool = False) -> str:
        """As it stands behind an amount."""
        forms = self.shown.split("~")
        if len(forms) == 1:
            return self.shown
        return forms[(2 if language == "es" else 0) + (0 if one else 1)]


class NotAUnit(ValueError):  # noqa: N818 - the name says what it is
    pass


def find(text: str) -> Unit:
    """Raises NotAUnit."""
    text = " ".join(text.split()).strip(" .")
    if not text or len(text) > 60:
        raise NotAUnit(text)
    if whole := _one(text):
        return whole
    parts = re.split(r"\s*/\s*|\s+(?:per|por|a|each|cada)\s+|\s+p\.\s*", text)
    found = [_raised(part) for part in parts]
    if len(found) > 3:
        raise NotAUnit(text)
    return Unit(" / ".join(f"({one.vendor})" for one in found), "/".join(one.shown.split("~")[0] for one in found))


def is_currency(text: str) -> bool:
    words = set(fold(text).split())
    return bool(re.search("[$€£¥]", text) or words & {"sterling", "esterlina", "esterlinas"}) or (
        bool(words) and words <= CURRENCIES
    )


def _raised(text: str) -> Unit:
    """metros cuadrados, square feet, m2, m^3, ft²."""
    if whole := _one(text):
        return whole
    if found := re.fullmatch(r"(.+?)\s*(?:\^|\*\*)?([23²³])", text):
        return _power(found[1], _SUPER.get(found[2]) or int(found[2]))
    words = text.split()
    powers = [power for word in words if (power := _POWERS.get(fold(word)))]
    rest = " ".join(word for word in words if fold(word) not in _POWERS)
    if len(powers) == 1 and rest:
        return _power(rest, powers[0])
    if re.fullmatch(r"[A-Za-zµΩ°_]{2,30}", text):
        return Unit(text, text)  # the vendor may know it
    raise NotAUnit(text)


def _power(text: str, power: int) -> Unit:
    one = _one(text.strip())
    if one is None:
        raise NotAUnit(text)
    return Unit(f"({one.vendor}) ** {power}", f"{one.shown.split('~')[0]}{'²' if power == 2 else '³'}")


def _one(text: str) -> Unit | None:
    exact, folded = _known()
    return exact.get(text) or folded.get(fold(text))


@cache
def _known() -> tuple[dict[str, Unit], dict[str, Unit]]:
    """As they are written, and folded with their plurals. A sign that differs by its case only is never folded."""
    exact: dict[str, Unit] = {}
    folded: dict[str, Unit] = {}
    signs: dict[str, int] = {}
    for line in _TABLE.strip().splitlines():
        vendor, shown, names = line.split("|")
        for name in names.split(","):
            exact[name] = Unit(vendor, shown)
            signs[fold(name)] = signs.get(fold(name), 0) + 1
    for name, unit in exact.items():
        plain = fold(name)
        if plain and (signs[plain] == 1 or len({exact[n] for n in exact if fold(n) == plain}) == 1):
            for form in _plurals(plain):
                folded.setdefault(form, unit)
    return exact, folded


def _plurals(name: str) -> list[str]:
    """nautical mile → nautical miles; año luz → años luz; milla náutica → millas náuticas."""
    if len(name) < 3:
        return [name]
    first, _, rest = name.partition(" ")
    forms = [name, f"{name}s", f"{name}es"]
    if rest:
        forms += [f"{first}s {rest}", f"{first}es {rest}", f"{first}s {rest}s"]
    return forms
