"""The job processes: the only code that sees both the catalog and the models."""
