"""Describes a dataset: the manifest, tables and folders of clips, utterances in memory."""
