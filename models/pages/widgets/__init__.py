"""What stands on drawn pages, from single controls to pieces of applications; each function returns HTML."""
