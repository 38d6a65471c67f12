"""Zip and tar files in place of folders, on the disk or in an object store, read where they lie.

Read url, stored, tar_headers, members, spans, archive, pictures, in this order.
"""
