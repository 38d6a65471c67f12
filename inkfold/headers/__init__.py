"""What a picture file claims, and what decoding it costs, read before decoding: checked, limits,
png, jpeg, tiff, and the short headers of the other formats in plain.
"""
