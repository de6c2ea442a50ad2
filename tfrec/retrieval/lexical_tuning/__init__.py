"""BM25F over all text fields, averaged over many settings that the labelled queries weigh; still one posting list.

`fields` finds the texts, `counts` counts their words, `configuration` draws settings, `candidates` judges each by the
labelled queries, `aggregation` weighs them, `mixture` adds their postings, `tuner` does all that for whoever asks, and
`stage` keeps the outcome in the run folder.
"""
