"""The tab in TensorBoard: what is on disk, and what of it TensorBoard does not show."""
