"""The HTML of the curation desk. Pure; whatever others wrote is escaped.

frame      shell, keys, filter bar, progress, empty places
example    one example: facts, where it is from, tags, findings
turns · answers    what is said in it, and what is compared
editor     the form of one turn
seen       the example as a model sees it, token by token
"""
