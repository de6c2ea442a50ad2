"""The one road of everything that chooses: how many queries speak, folds of them, averages, chance, and one sentence.

A choice by few labelled queries follows their luck: the best of sixty settings by ten queries is often worse than no
choice. So whatever chooses (settings of the lexical scorer, weights of scorers, checkpoints, a gate) deals its queries
into folds here, averages what stays likely instead of taking the best, is drawn towards what needs no label, leaves a
default only for a gain beyond chance, and is measured on queries that had no part in it. NumPy only.
"""
