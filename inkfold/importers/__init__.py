"""Public sets of handwritten characters in their own file formats, one module a format.

Read collection, formats, files, arrays, labels, class_maps, in this order; then any format: idx
with its idx_files and idx_pairs, emnist, emnist_mat, npz with its npy and npz_arrays, mat with
its mat_files, parquet, csv_pixels with its csv_layout and csv_labels, hasy, nist_sd19, omniglot,
casia, etl with its etl_records. Arrays of any names and types are told apart by array_pairs, and
made grey by picture_arrays. Boxes on pages are cut out by page_crops: coco, yolo with its
yolo_names, and voc, page_xml and alto, whose files are found and read by xml_pages and xml_files.
"""
