"""The page to write on: a web application over a bundle and a collection of drawings."""
