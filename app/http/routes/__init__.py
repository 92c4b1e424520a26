"""One module per noun; every handler parses, authorises, calls one service and renders."""
