"""Two hosts on one machine, joined by a link that can be impaired."""
