"""The page to write on: a web application over a bundle and a folder of kept drawings.

Read app, messages, guard, in this order.
"""
