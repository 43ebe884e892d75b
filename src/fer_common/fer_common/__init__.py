"""What the nodes of fer share: parameter tables, lifecycle base, images, stamps, diagnostics."""
