"""The command lines, one module a stage: parse, check, call, print. No other room prints.

Read cli with interrupts, options, crews, next_lines and main, then any stage: create_dataset with
packing_notes, import_data, audit, explore, augment, merge, networks and train with network_files,
evaluate, classify with classify_lines and answering, draw, export, shrink, calibrate, check,
cluster, demo. The module manual writes docs/commands.md from the help of all stages.
"""

# before any library: Ctrl-C while they load is told in one line
import inkfold.commands.interrupts  # noqa: F401, importing it is what it is for
