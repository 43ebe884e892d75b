"""How a command reaches a running graph: node, parameters, services, diagnostics."""
