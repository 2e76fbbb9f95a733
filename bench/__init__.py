"""Benchmarks: what `make bench`, `make bench-scale` and `make bench-docs` run. docs/benchmarks.md says more."""
