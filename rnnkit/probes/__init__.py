"""One question to a trained network each; arrays and callables in, arrays out.

Each question is a module: ``from rnnkit.probes import dimension, neighbours``. Importing this package loads
none of them, and none loads scikit-learn or openTSNE before it is called.

===============  ===================================================================================
`truncation`     accuracy on shortened, blanked and lengthened sequences (Experiments 1 to 3)
`ink`            how much of an image has been seen by each row
`dimension`      principal components for a share of variance, at each step and in each class
`embedding`      t-SNE maps in which points can be followed from step to step
`neighbours`     share of near states with the same label
`separation`     how far one class stands apart, in state space and on a map
`readout`        what a linear probe, and the net's own output layer, read at each step
`trajectory`     paths in the space of the largest variance
`dynamics`       period of an oscillation, spectrum of the recurrent weights, change per step
`words`          what the matrices make of stop, positive and negative words; lines and separability
`walks`          pairs of sentences that differ a little, and the distance of their states
`plane`          two units: what the readout says where, where a word leads
`horizon`        how long one word is remembered while stop words follow
`updates`        steps of training beside the way from start to end
`perturbation`   noise on trained parameters, and how far they come back
`solutions`      accuracies of random settings: shares, box plots, distances of distributions
`success`        how often initialisations succeed, and the best of some
`examples`       the images behind a confusion matrix, and what it says of each class
`gradients`      how far back the loss reaches: its gradient at every step
`by_class`       which units and directions tell the classes apart, and from when on
`weights`        how the weights of each gate are spread, before and after training
`order`          what an order of the pixels makes of an image read one by one
`structure`      singular values of a recurrent matrix, and an order of units in which it shows
`window`         what a Legendre memory holds: the input read back from it
`additions`      binary numbers for an adder, made to try one thing at a time; the carry its own answers imply
`carry`          where in the state of an adder the carry is, and what the input alone would tell
`flipflop`       where states rest while one input lasts; whether a net clears, sets and keeps a carry
`automaton`      the finite machine between clusters of states, and its least form
`lengths`        whether length, chains of carries or long runs make an adder fail
`adder`          where an adder is wrong, and whether it loses the carry, counts steps or misreads
===============  ===================================================================================
"""
