"""Conversations of several turns about a tagged picture (SoM-QA; SoM-LLaVA, section 4.3, whose prompt was never published).

`rules` asks and answers from known names and places, `taught` has a teacher write Person and Assistant, `interview` puts
short questions to our own small model. Knows no SQL.
"""
