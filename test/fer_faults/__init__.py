"""What the tests of faults share: a camera that can be pulled out, load, and the book of trials."""
