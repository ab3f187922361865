"""Data the studies read: MNIST as rows, with checksums, and what stands in when it cannot be had."""
