"""Reference tables that ship with the product: waste codes, operations, hazardous properties, UN numbers, materials.

Owns no database tables and tells no events. Every list names its version, source and SHA-256 (`lists.py`); what a table
does not have is missing and never guessed (`ReferenceDataMissing`).
"""
