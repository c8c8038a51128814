"""The voice trainer: a recording becomes a dataset, the dataset becomes a checkpoint. Importing the package loads no heavy module."""
