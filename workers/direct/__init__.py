"""`markwise mark`, `ground`, `train` and `evaluate` without a server: straight on the model library.

A module per command, named by the command line's table and imported when called, so that the web process never meets torch.
"""
