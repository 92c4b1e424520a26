"""Elements from the trained detector, with exact edges, text, label and role. Used by `models.segmenters.gui`."""
