"""The truth of datasets, in SQL: tables, their migrations, transactions that tick a clock of their own.

In: an engine. Out: sessions. Knows no meaning: `tuning.datasets` brings it.
"""
