"""In: a code and its values. Out: one or two sentences a person can act on, in English or Spanish.

Outcomes of reading and errors of the library alike: what is stored or raised carries the code, and is put into words
for whoever reads it. Values are numbers and titles, never a document's text. Knows nothing of files or pages.
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
    "partial_slow": "{read} of {pages} pages were read; what took longer than {seconds} seconds for one page was "
    "left out. Print the file to a new, simpler PDF to get the rest.",
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
    "not_a_file": "This is a folder, a pipe or a device, not a file. Add a file.",
    "failed": "The file could not be read for a reason that is not its fault. Try again; the log says more.",
    "page": "This page cannot be drawn: it is damaged or does not exist. Its text may still be there.",
    "known": "It is in the library already, as {title}.",
    "not_stored": "The document could not be stored ({reason}). Check the disk, then try again.",
    "no_document": "There is no document {document}. It may have been removed; the list shows what there is.",
    "no_page": "{title} has no page {page} that could be read; it has {pages} pages.",
    "no_pictures": "{title} is text and has no page images.",
    "no_file": "The file of {title} is missing from the data folder. Add it again to see its pages.",
    "disk_full": "The disk is full, so the file could not be stored. Free some space and add it again.",
    "folder_closed": "The data folder cannot be written ({reason}). Check its permissions.",
    "not_opened": "{title} could not be opened ({reason}). Check that it exists and you may read it.",
    "upload_gone": "The upload is no longer here. Please add the file again.",
    "upload_strange": "That file was not uploaded here. Please add it with the button or by dropping it on the page.",
    "web_later": "Web addresses cannot be added yet. Save the page as PDF or text and add that file.",
    "no_embedder": "The embedder could not be loaded ({reason}). Run `afina doctor`; the log says more.",
    "no_weights": "The model {name} is not on this machine yet. Run `afina models fetch {name}`.",
    "weights_damaged": "The model {name} is damaged ({file} is not what was fetched). Run `afina models fetch {name}`.",
}
_ES = {
    "ready": "Se ha leído el archivo entero; páginas: {pages}.",
    "mostly_without_text": "Solo {with_text} de {pages} páginas tienen texto; las demás parecen imágenes. "
    "Pase el archivo por un reconocimiento de texto (OCR) para poder buscar también en ellas.",
    "partial_damaged": "Se han podido leer {read} de {pages} páginas; las demás están dañadas. "
    "Guarde el archivo de nuevo desde su programa, o imprímalo en un PDF nuevo, para tener el resto.",
    "partial_timed_out": "Se han leído {read} de {pages} páginas antes del límite de {seconds} segundos. "
    "Divida el archivo, o imprímalo en un PDF nuevo, para tener el resto.",
    "partial_slow": "Se han leído {read} de {pages} páginas; se ha dejado fuera lo que tardaba más de {seconds} "
    "segundos por página. Imprima el archivo en un PDF nuevo y más sencillo para tener el resto.",
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
    "not_a_file": "Esto es una carpeta, una tubería o un dispositivo, no un archivo. Añada un archivo.",
    "failed": "No se ha podido leer el archivo por una causa ajena a él. Inténtelo otra vez; el registro dice más.",
    "page": "Esta página no se puede dibujar: está dañada o no existe. Puede que su texto sí esté.",
    "known": "Ya está en la biblioteca, como {title}.",
    "not_stored": "No se ha podido guardar el documento ({reason}). Compruebe el disco e inténtelo otra vez.",
    "no_document": "No hay ningún documento {document}. Puede que se haya quitado; la lista muestra los que hay.",
    "no_page": "{title} no tiene una página {page} que se haya podido leer; tiene {pages} páginas.",
    "no_pictures": "{title} es texto y no tiene imágenes de sus páginas.",
    "no_file": "El archivo de {title} falta en la carpeta de datos. Añádalo otra vez para ver sus páginas.",
    "disk_full": "El disco está lleno y no se ha podido guardar el archivo. Libere espacio y añádalo otra vez.",
    "folder_closed": "No se puede escribir en la carpeta de datos ({reason}). Compruebe sus permisos.",
    "not_opened": "No se ha podido abrir {title} ({reason}). Compruebe que existe y que tiene permiso para leerlo.",
    "upload_gone": "El archivo enviado ya no está aquí. Añádalo otra vez.",
    "upload_strange": "Ese archivo no se envió aquí. Añádalo con el botón o soltándolo en la página.",
    "web_later": "Aún no se pueden añadir direcciones web. Guarde la página como PDF o texto y añada ese archivo.",
    "no_embedder": "No se ha podido cargar el modelo de búsqueda ({reason}). "
    "Ejecute `afina doctor`; el registro dice más.",
    "no_weights": "El modelo {name} aún no está en este equipo. Ejecute `afina models fetch {name}`.",
    "weights_damaged": "El modelo {name} está dañado ({file} no es lo que se descargó). "
    "Ejecute `afina models fetch {name}`.",
}
SENTENCES = {"en": _EN, "es": _ES}


def sentence(code: str, language: str = "en", **values: int | str) -> str:
    """The sentence of `code`; English where the language is not known. `values` are `Ended.values`."""
    table = SENTENCES.get(language, _EN)
    return table[code].format_map(values)
