"""What the judges are told: facts gathered from the file system, the process and TensorFlow."""
