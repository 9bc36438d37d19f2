"""Files of any size -> their rows, piece by piece, and what is written of them."""
