"""`som-llava-tiny`: the configuration, tokenizer, initialisation and export of our own small LLaVA.

The trainer builds it from here; serving only ever sees the checkpoint folder that `export.save` writes.
"""
