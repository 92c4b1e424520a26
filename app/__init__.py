"""The web process and everything the catalog knows. Imports no torch and no worker; `models` only where torch-free."""
