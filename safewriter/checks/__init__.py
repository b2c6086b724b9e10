"""The judges, one module per hundred of codes: facts in, findings out. None prints, warns or imports TensorFlow."""
