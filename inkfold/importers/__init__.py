"""Public sets of handwritten characters in their own file formats, one module a format.

Read collection, formats, files, arrays, labels, class_maps, in this order; then any format: idx,
emnist, emnist_mat, npz (npy, npz_arrays, and array_pairs and picture_arrays for arrays of any
names and types), csv_pixels with its csv_layout and csv_labels, hasy, nist_sd19, omniglot, casia,
etl with its etl_records.
"""
