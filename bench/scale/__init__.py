"""Several machines on one PostgreSQL of the system: `python -m bench.scale`. What it found is told in docs/scale.md."""
