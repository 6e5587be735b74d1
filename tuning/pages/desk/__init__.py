"""The curation desk: one example after the other, by keyboard. `page.DeskPage` is the page."""
