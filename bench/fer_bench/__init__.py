"""Benchmarks of fer, each beside a peer in the same run. `fer bench --help` says how to use it."""
