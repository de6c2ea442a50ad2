"""What a shop with few labelled queries gets on its other queries: the parts of few_labels.py.

`shops` (the labelled shops and what is known of them), `cells` (which queries are labelled, written as a shop's files),
`systems` and `trainings` (what is measured, through tfrec's own pipeline), `results` (finished measurements on disk),
`pooling` (paired differences over draws that share queries), `tables` (tables, JSON, plot).
"""
