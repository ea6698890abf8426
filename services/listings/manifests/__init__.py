"""A holder's manifest: a CSV with one row per thing, read into rows that land and rows that go back with a reason.

Pure: no database, no network, no clock. `reading` turns bytes into raw rows, `mapping` and `profiles` say which column
means what, `rows` judges each row, `items` groups what landed. Owns no tables, tells no events.
"""
