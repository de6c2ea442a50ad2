"""Catalogues pushed into search engines: what goes there, and one file per engine."""
