"""In: a frozen version. Out: files that go elsewhere: one JSONL in a provider's format, or the whole as one folder.

files.py    a version in a format, what is lost and what is left out counted
folder.py   card, README, examples as they are: comes back with the same fingerprint
"""
