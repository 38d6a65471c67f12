"""Public sets of handwritten characters in their own file formats, one module for each format."""
