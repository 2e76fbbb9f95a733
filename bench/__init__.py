"""Benchmarks: what `make bench`, `make bench-scale` and `make bench-docs` run. README.md, "Benchmarks", says more."""
