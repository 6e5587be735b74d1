"""What `afina data …` does, and the pages' buttons: one function a verb, rows of plain JSON out.

The positional parameters are parts (attributes of tuning.parts.Parts), the keyword-only ones are JSON; see
assistant.service.verbs. Long ones yield progress, {"done", "of"} or an import's counts, and one last row.
"""
