"""Reads and writes bytes on disk: plain files, atomic files, strict JSON, archives of tensors."""
