"""Segmenters: each turns pixels (and what the caller knows) into `Regions`; `models.registry` names them."""
