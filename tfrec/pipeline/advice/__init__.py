"""Advice before any training, from a shop's own data.

`view` (what two untrained scorers find for the queries that are known), `fields` (which text columns help), `training`
(whether training, or more labels, are likely to help), `asked` and `labelling` (which queries to label next), `advise`
(all of it), `told` (as tables and files).
"""
