"""The training page: a version becomes a job, its curves, its persona. `page.training_page(parts)` makes it."""
