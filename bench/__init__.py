"""Measures Pregón against its own promises: `make bench`. One module per figure."""
