"""The command lines: parse, check, call, print. No other room prints.

Read cli, options and main, then the stage that interests you: create_dataset with packing_notes,
import_data, augment, train, evaluate, classify with classify_lines, explore, audit, export, draw,
shrink, demo; manual writes docs/commands.md from their help.
"""
