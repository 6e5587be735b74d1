"""The truth of the assistant, in SQL: its tables, their migrations, transactions that tick the clock.

In: an engine. Out: sessions. Knows no meaning: history, personas, routing, models and tools bring theirs.
"""
