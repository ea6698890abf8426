"""Manifests into drafts: a file is received, judged row by row against what the seller already has, and lands whole.

`receiving` stores the file, `judging` decides (pure), `landing` is the job that writes; `units` and `items` carry rows over
into the tables and back.
"""
