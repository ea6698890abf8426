"""Bids for timed listings that arrive while a commit is under way, taken into the next one together.

`desk` says which bids are taken so, `taking` reads, decides and writes a batch of them in one transaction, `lots` is how a listing
stands meanwhile, `queries` are the statements, written by hand. What a bid needs, how it is judged, what it tells and how it is
answered is what `placing`, `eligibility`, `adjudicating` and the schemas say.
"""
