"""Facts of the operating system: processes, directories, disks, and the environment. No TensorFlow."""
