"""What the operating system tells: processes, directories, disks, and the environment. No TensorFlow."""
