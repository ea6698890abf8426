"""Manifests into drafts: a file is received, judged row by row against what the seller already has, and lands whole.

`receiving` stores the file, `landing` is the job, `progress` its reading and what it tells meanwhile; `judging` decides (pure) and
`writing` writes by the statements of `queries`; `units` and `items` carry rows over into the tables and back. `profiles` are the
mappings an organization keeps.
"""
