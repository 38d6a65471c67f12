"""The page to write on: a web server that answers with a bundle and keeps drawings in a folder.

Read app, messages, guard, server, in this order.
"""
