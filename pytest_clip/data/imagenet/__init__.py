"""ImageNet-1k and the data sets that are measured with its classes."""
