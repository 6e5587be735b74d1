"""The datasets page: what is gathered, looked through, frozen and saved. `page.datasets_page(parts)` makes it."""
