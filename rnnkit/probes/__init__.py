"""One question to a trained network each; arrays and callables in, arrays out."""
