"""Who bids with whom: what a person should look at before the market loses its faith.

After the close and after an award every listing is looked at; what is found are rows for operators alone, and forbids nothing. One
rule acts by itself: whoever shares its VAT id or its bank account with the seller bids for its own goods.
"""
