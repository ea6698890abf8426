"""What a treatment cost and spared, computed from grams, metres and named factors. Pure: no database, clock or network.

Decimal arithmetic at 34 digits, stored unrounded; rounding happens in renditions only.
"""
