"""The road from a shop's files to a served model; the only room that knows all others.

In order: `run_folder` (where everything of a run stands), `assemble` (prepared data and towers), `teach` (the untrained
encoder and BM25 as teachers, made samples), `train_once` and `train_rounds`, `trained` (what came out), `update_index`
(new items without training). `api` holds the calls that users make.
"""
