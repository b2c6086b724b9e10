"""Facts gathered from TensorFlow, for the judges."""
