"""In: a code. Out: how bad it is, what it says and what to do about it, in English and Spanish.

    code: ("error" | "warning", English, Spanish, what to do in English, in Spanish)

This file holds what is wrong with a file or a line; `rows/sentences.py` what is wrong inside a row.
"""

from __future__ import annotations

from tuning.checking.rows.sentences import ROWS, Saying

_FILES: dict[str, Saying] = {
    "file_missing": (
        "error",
        "There is no file {name}.",
        "No existe el archivo {name}.",
        "Check the path.",
        "Comprueba la ruta.",
    ),
    "file_directory": (
        "error",
        "{name} is a folder.",
        "{name} es una carpeta.",
        "Name the file inside it.",
        "Indica el archivo que está dentro.",
    ),
    "file_not_regular": (
        "error",
        "{name} is not a regular file.",
        "{name} no es un archivo normal.",
        "Save the data as a file and name that.",
        "Guarda los datos en un archivo e indícalo.",
    ),
    "file_unreadable": (
        "error",
        "{name} cannot be read: {reason}.",
        "{name} no se puede leer: {reason}.",
        "Give yourself the right to read it, or copy it.",
        "Date permiso de lectura o cópialo.",
    ),
    "file_empty": (
        "error",
        "{name} is empty.",
        "{name} está vacío.",
        "Export the data again.",
        "Vuelve a exportar los datos.",
    ),
    "file_too_large": (
        "error",
        "The file has {bytes} bytes; {provider} takes {limit} at most.",
        "El archivo tiene {bytes} bytes; {provider} admite {limit} como máximo.",
        "Split it, or drop examples.",
        "Divídelo o quita ejemplos.",
    ),
    "not_text": (
        "error",
        "This is not a text file: it looks like {found}.",
        "No es un archivo de texto: parece {found}.",
        "Unpack or convert it to JSONL, one object per line.",
        "Descomprímelo o conviértelo a JSONL, un objeto por línea.",
    ),
    "utf16": (
        "error",
        "The file is encoded as {found}, not UTF-8.",
        "El archivo está codificado en {found}, no en UTF-8.",
        "Save it as UTF-8 without BOM.",
        "Guárdalo como UTF-8 sin BOM.",
    ),
    "bom": (
        "error",
        "There is a byte order mark (BOM) before the text.",
        "Hay una marca de orden de bytes (BOM) antes del texto.",
        "Save the file as UTF-8 without BOM.",
        "Guarda el archivo como UTF-8 sin BOM.",
    ),
    "json_array": (
        "error",
        "The file is one JSON array, not one object per line.",
        "El archivo es una lista JSON, no un objeto por línea.",
        "Write each element on a line of its own, without brackets and commas between them.",
        "Escribe cada elemento en su propia línea, sin corchetes ni comas entre ellos.",
    ),
    "few_examples": (
        "error",
        "There are {rows} examples; {provider} needs {limit} at least.",
        "Hay {rows} ejemplos; {provider} necesita {limit} como mínimo.",
        "Add {missing} more.",
        "Añade {missing} más.",
    ),
    "few_advised": (
        "warning",
        "There are {rows} examples; results usually show from {limit} on.",
        "Hay {rows} ejemplos; los resultados suelen notarse a partir de {limit}.",
        "Add more if you have good ones.",
        "Añade más si los tienes buenos.",
    ),
    "many_examples": (
        "error",
        "There are {rows} examples; {provider} takes {limit} at most.",
        "Hay {rows} ejemplos; {provider} admite {limit} como máximo.",
        "Drop {extra}, or choose a model that takes more.",
        "Quita {extra} o elige un modelo que admita más.",
    ),
    "labels_one_sided": (
        "warning",
        "Every label is {found}: there is nothing to tell apart.",
        "Todas las etiquetas son {found}: no hay nada que distinguir.",
        "Add examples of the other kind.",
        "Añade ejemplos del otro tipo.",
    ),
    "same_as_validation": (
        "error",
        "Training and validation hold the same examples.",
        "El entrenamiento y la validación contienen los mismos ejemplos.",
        "Split the data: no example in both.",
        "Divide los datos: ningún ejemplo en ambos.",
    ),
    "in_validation": (
        "error",
        "This example is also in the validation file, in line {other}.",
        "Este ejemplo está también en el archivo de validación, en la línea {other}.",
        "Drop it from one of the two: what was learned measures nothing.",
        "Quítalo de uno de los dos: lo aprendido no mide nada.",
    ),
}

_LINES: dict[str, Saying] = {
    "blank_line": ("error", "The line is blank.", "La línea está en blanco.", "Delete it.", "Bórrala."),
    "line_too_long": (
        "error",
        "The line has more than {limit} bytes.",
        "La línea tiene más de {limit} bytes.",
        "Put each example on a line of its own.",
        "Pon cada ejemplo en su propia línea.",
    ),
    "invalid_utf8": (
        "error",
        "Byte {byte} of the line (0x{found}; byte {offset} of the file) is not UTF-8.",
        "El byte {byte} de la línea (0x{found}; byte {offset} del archivo) no es UTF-8.",
        "Save the file as UTF-8, or mend that character.",
        "Guarda el archivo como UTF-8 o corrige ese carácter.",
    ),
    "lone_surrogate": (
        "error",
        "Half a character ({found}) stands alone: a pair of surrogates was cut.",
        "Hay medio carácter ({found}) suelto: se cortó un par de sustitutos.",
        "Delete it, or write the whole character.",
        "Bórralo o escribe el carácter entero.",
    ),
    "special_token": (
        "warning",
        "The text holds {found}, which many models read as a command of their format.",
        "El texto contiene {found}, que muchos modelos leen como una orden de su formato.",
        "Delete it, unless the example is about such marks.",
        "Bórralo, salvo que el ejemplo trate de esas marcas.",
    ),
    "truncated": (
        "error",
        "The last line is cut off: the object does not end.",
        "La última línea está cortada: el objeto no termina.",
        "Export the file again, or delete the line.",
        "Vuelve a exportar el archivo o borra la línea.",
    ),
    "unfinished": (
        "error",
        "The object does not end on its line.",
        "El objeto no termina en su línea.",
        "Write each example on one line; a line end inside text is \\n.",
        "Escribe cada ejemplo en una sola línea; un salto dentro del texto es \\n.",
    ),
    "two_objects": (
        "error",
        "There is more than one object on the line (from column {column}).",
        "Hay más de un objeto en la línea (desde la columna {column}).",
        "Put each on a line of its own.",
        "Pon cada uno en su propia línea.",
    ),
    "extra_data": (
        "error",
        "Something follows the object, from column {column} on: {found}.",
        "Hay algo detrás del objeto, desde la columna {column}: {found}.",
        "Delete it.",
        "Bórralo.",
    ),
    "trailing_comma": (
        "error",
        "There is a comma with nothing after it, before column {column}.",
        "Hay una coma sin nada detrás, antes de la columna {column}.",
        "Delete the comma.",
        "Borra la coma.",
    ),
    "single_quotes": (
        "error",
        "Names and texts stand in single quotes, from column {column} on: that is not JSON.",
        "Hay nombres o textos entre comillas simples, desde la columna {column}: eso no es JSON.",
        'Write them in double quotes ("), as json.dumps does.',
        'Escríbelos entre comillas dobles ("), como hace json.dumps.',
    ),
    "python_word": (
        "error",
        "{found} in column {column} is Python, not JSON.",
        "{found} en la columna {column} es Python, no JSON.",
        "Write true, false or null.",
        "Escribe true, false o null.",
    ),
    "control_character": (
        "error",
        "A control character ({found}) stands inside a text, in column {column}.",
        "Hay un carácter de control ({found}) dentro de un texto, en la columna {column}.",
        "Write it as an escape: \\t, \\n, \\u0000.",
        "Escríbelo como secuencia: \\t, \\n, \\u0000.",
    ),
    "bad_escape": (
        "error",
        "The backslash in column {column} starts no escape that JSON knows.",
        "La barra invertida de la columna {column} no inicia ninguna secuencia de JSON.",
        "Write a backslash as \\\\.",
        "Escribe la barra invertida como \\\\.",
    ),
    "not_json": (
        "error",
        "The line is not JSON from column {column} on: {found}.",
        "La línea no es JSON desde la columna {column}: {found}.",
        "Write one JSON object on the line.",
        "Escribe un objeto JSON en la línea.",
    ),
    "number_too_long": (
        "error",
        "A number has more digits than can be read.",
        "Un número tiene más cifras de las que se pueden leer.",
        "Write it as text.",
        "Escríbelo como texto.",
    ),
    "too_deep": (
        "error",
        "Lists and objects are nested too deeply to be read.",
        "Hay demasiadas listas y objetos unos dentro de otros.",
        "Flatten the row: no format nests like this.",
        "Aplana la fila: ningún formato anida así.",
    ),
    "not_object": (
        "error",
        "The line holds {found}, not an object.",
        "La línea contiene {found_es}, no un objeto.",
        "Write one object for each example.",
        "Escribe un objeto por ejemplo.",
    ),
    "duplicate_key": (
        "error",
        "The key {found} stands twice in one object: the first value is lost.",
        "La clave {found} aparece dos veces en un objeto: el primer valor se pierde.",
        "Keep one of them.",
        "Deja solo una.",
    ),
    "not_a_number": (
        "error",
        "{found} is no JSON number.",
        "{found} no es un número de JSON.",
        "Write a number, or null.",
        "Escribe un número o null.",
    ),
}

_SIZES: dict[str, Saying] = {
    "too_long": (
        "error",
        "{part} has {tokens} tokens; {model} takes {limit}.",
        "{part_es} tiene {tokens} tokens; {model_es} admite {limit}.",
        "Shorten or split the example: what is over the limit is cut off, the answer first.",
        "Acorta o divide el ejemplo: lo que pasa del límite se corta, empezando por la respuesta.",
    ),
    "maybe_too_long": (
        "warning",
        "{part} has about {tokens} tokens by the rule of 4 characters each; {model} takes {limit}.",
        "{part_es} tiene unos {tokens} tokens según la regla de 4 caracteres; {model_es} admite {limit}.",
        "Count with the model's own tokenizer, or shorten the example.",
        "Cuenta con el tokenizador del modelo o acorta el ejemplo.",
    ),
}

SAYINGS: dict[str, Saying] = {**_FILES, **_LINES, **_SIZES, **ROWS}
