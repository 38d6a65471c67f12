"""The command lines, one module a stage: parse, check, call, print. No other room prints.

Read cli, options and main, then any stage: create_dataset with packing_notes, import_data, audit,
explore, augment, train, evaluate, classify with classify_lines, draw, export, shrink, demo. The
module manual writes docs/commands.md from the help of all stages.
"""
