"""What a picture file claims, and what decoding it costs, read before decoding: checked, limits,
png, jpeg, boxes with jpeg2000 and heif (which is AVIF too; its items, and coded), tiff with
tiff_directory and tiff_blocks, and the short headers of the other formats in plain. What else a
file says: orientation, and whether it has further frames.
"""
