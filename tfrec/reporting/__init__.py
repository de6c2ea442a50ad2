"""Results drawn and written down: charts as inline SVG, pages that need nothing else, model cards.

Knows no stage: it draws the plain JSON values that metrics.json and the other records of a run hold.
"""
