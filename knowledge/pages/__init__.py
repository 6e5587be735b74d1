"""What a browser shows of the library. In: the library. Out: the documents page, the viewer, files on their way.

documents_page   what the page may ask for, and its Gradio component      arrivals   adding in the background
documents_view   the list and the chips as HTML                           uploads    a dropped file, and no other
page_view        a page's picture with the cited words marked             wording    the sentences, en and es
"""

from pathlib import Path

STATIC = Path(__file__).parent / "static"  # styles, scripts, words
