"""Every summary writer of a program, without an edit: ``safewriter.install()``."""
