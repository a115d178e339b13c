"""The same job with what a user would pick instead, each in an environment of its own.

`python -m benchmarks.peers setup` makes the environments; `python -m benchmarks` runs them.
"""
