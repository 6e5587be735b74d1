"""Text from the web: the one way it comes in (`egress`), and what a person would read of it (`page`).

    Egress().get("https://example.org/a", accept=page.READABLE) → Fetched(url, status, kind, charset, body)
    page.text_of(fetched)                                        → PageText(title, text, url, language)

Knows nothing of tools, models or settings; whoever makes an Egress decides whether anything may go out at all.
"""
