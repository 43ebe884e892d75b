"""Shared by the tests of faults: a camera that can be unplugged, load, the record of faults."""
