"""The truth, in SQL: documents, their pages, their chunks as offsets into the pages.

In: an engine. Out: the values of `knowledge.values`. Knows nothing of vectors,
words or files; those are rebuilt from here.
"""
