"""In: a code and its numbers. Out: one or two sentences a person can act on, in English or Spanish.

Knows nothing of files. Every value is a number, so nothing out of a document ever stands in a message.
"""

from __future__ import annotations

_EN = {
    "ready": "The whole file was read; pages: {pages}.",
    "mostly_without_text": "Only {with_text} of {pages} pages hold text; the others look like images. "
    "Run text recognition (OCR) on the file to search them too.",
    "partial_damaged": "{read} of {pages} pages could be read; the others are damaged. "
    "Save the file anew from the program that made it, or print it to a new PDF, to get the rest.",
    "partial_timed_out": "{read} of {pages} pages were read before the time limit of {seconds} seconds. "
    "Split the file, or print it to a new PDF, to get the rest.",
    "partial_memory": "{read} of {pages} pages were read; the others need more than {megabytes} MB of memory. "
    "Print the file to a new, simpler PDF to get the rest.",
    "partial_too_long": "{read} of {pages} pages were read; one file may hold {characters} characters. "
    "Split the file to get the rest.",
    "no_text": "The file holds no text; its pages look like images. Run text recognition (OCR) on it and add it again.",
    "no_text_plain": "The file holds no text. Check that it is the right file.",
    "password": "The file is locked. Give its password to read it; the password is not kept.",
    "wrong_password": "The password is not right. Type it again: capitals and spaces count.",
    "empty": "The file is empty. Check that it was saved or downloaded completely.",
    "not_a_pdf": "This is not a PDF, whatever its name says. Open it in the program that made it and save it as PDF.",
    "not_text": "This is not a text file. Add it as PDF, plain text or Markdown.",
    "damaged": "The PDF is damaged and could not be opened. Download it again, or print it to a new PDF.",
    "crashed": "The PDF is damaged, or made so that reading it fails. Print it to a new PDF and add that.",
    "security": "The PDF is locked in a way that is not supported. Save it without protection and add it again.",
    "too_big": "The file has {megabytes} MB; at most {limit} MB can be read. Split it into smaller files.",
    "too_many_pages": "The file has {pages} pages; at most {limit} can be read. Split it into smaller files.",
    "memory": "Reading the file needs more than {megabytes} MB of memory. Print it to a new, simpler PDF and add that.",
    "timed_out": "Reading the file took longer than {seconds} seconds and was stopped. "
    "Print it to a new, simpler PDF and add that.",
    "cancelled": "Reading was stopped; pages read: {read}. Add the file again to read all of it.",
    "gone": "The file could not be opened. Check that it still exists and that you may read it.",
    "failed": "The file could not be read for a reason that is not its fault. Try again; the log says more.",
    "page": "This page cannot be drawn: it is damaged or does not exist. Its text may still be there.",
}
_ES = {
    "ready": "Se ha leído el archivo entero; páginas: {pages}.",
    "mostly_without_text": "Solo {with_text} de {pages} páginas tienen texto; las demás parecen imágenes. "
    "Pase el archivo por un reconocimiento de texto (OCR) para poder buscar también en ellas.",
    "partial_damaged": "Se han podido leer {read} de {pages} páginas; las demás están dañadas. "
    "Guarde el archivo de nuevo desde su programa, o imprímalo en un PDF nuevo, para tener el resto.",
    "partial_timed_out": "Se han leído {read} de {pages} páginas antes del límite de {seconds} segundos. "
    "Divida el archivo, o imprímalo en un PDF nuevo, para tener el resto.",
    "partial_memory": "Se han leído {read} de {pages} páginas; las demás necesitan más de {megabytes} MB de memoria. "
    "Imprima el archivo en un PDF nuevo y más sencillo para tener el resto.",
    "partial_too_long": "Se han leído {read} de {pages} páginas; el texto de un archivo se limita a {characters} "
    "caracteres. Divida el archivo para tener el resto.",
    "no_text": "El archivo no contiene texto; sus páginas parecen imágenes. "
    "Páselo por un reconocimiento de texto (OCR) y añádalo otra vez.",
    "no_text_plain": "El archivo no contiene texto. Compruebe que es el archivo correcto.",
    "password": "El archivo está protegido. Escriba su contraseña para leerlo; la contraseña no se guarda.",
    "wrong_password": "La contraseña no es correcta. Escríbala otra vez: cuentan las mayúsculas y los espacios.",
    "empty": "El archivo está vacío. Compruebe que se guardó o se descargó entero.",
    "not_a_pdf": "Esto no es un PDF, diga lo que diga su nombre. Ábralo en su programa y guárdelo como PDF.",
    "not_text": "Esto no es un archivo de texto. Añádalo como PDF, texto sin formato o Markdown.",
    "damaged": "El PDF está dañado y no se ha podido abrir. Descárguelo otra vez o imprímalo en un PDF nuevo.",
    "crashed": "El PDF está dañado, o hecho de modo que su lectura falla. Imprímalo en un PDF nuevo y añada ese.",
    "security": "El PDF tiene una protección que no se admite. Guárdelo sin protección y añádalo otra vez.",
    "too_big": "El archivo ocupa {megabytes} MB; se pueden leer como mucho {limit} MB. Divídalo en archivos menores.",
    "too_many_pages": "El archivo tiene {pages} páginas; se pueden leer como mucho {limit}. "
    "Divídalo en archivos menores.",
    "memory": "Leer el archivo necesita más de {megabytes} MB de memoria. "
    "Imprímalo en un PDF nuevo y más sencillo y añada ese.",
    "timed_out": "La lectura tardaba más de {seconds} segundos y se ha detenido. "
    "Imprima el archivo en un PDF nuevo y más sencillo y añada ese.",
    "cancelled": "La lectura se ha detenido; páginas leídas: {read}. Añada el archivo otra vez para leerlo entero.",
    "gone": "No se ha podido abrir el archivo. Compruebe que sigue existiendo y que tiene permiso para leerlo.",
    "failed": "No se ha podido leer el archivo por una causa ajena a él. Inténtelo otra vez; el registro dice más.",
    "page": "Esta página no se puede dibujar: está dañada o no existe. Puede que su texto sí esté.",
}
SENTENCES = {"en": _EN, "es": _ES}


def sentence(code: str, language: str = "en", **values: int) -> str:
    """The sentence of `code`; English where the language is not known. `values` are `Ended.values`."""
    table = SENTENCES.get(language, _EN)
    return table[code].format_map(values)
