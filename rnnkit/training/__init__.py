"""Training loops: seeds as arguments, metrics per epoch, checkpoints that resume to the same bits."""
