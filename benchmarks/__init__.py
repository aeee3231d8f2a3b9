"""How fast is it, beside others? ``python benchmarks/run.py`` answers; see README.md."""
