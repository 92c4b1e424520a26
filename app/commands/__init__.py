"""Commands of `markwise` that manage the installation or talk to a running service."""
