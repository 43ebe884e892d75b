"""Set-up of fer: from a fresh clone to a built workspace. Standard library only."""
