"""Request bodies of the contract, one noun per module. They check shape; what is possible, services decide."""
