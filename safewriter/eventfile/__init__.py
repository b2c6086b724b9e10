"""The bytes: records and their checksums, events, names, writing and reading. Knows nothing of TensorFlow."""
