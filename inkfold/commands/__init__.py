"""The command lines: parse, check, call, print. Nothing else prints."""
