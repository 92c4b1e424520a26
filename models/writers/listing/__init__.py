"""Listings of tagged pictures, one line per mark in mark order (SoM-LLaVA, section 4.2).

`rules` puts known names in order, `taught` has a teacher look. Both end in `drafts.listing_draft`. Knows no SQL.
"""
