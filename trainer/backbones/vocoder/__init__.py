"""The project's vocoder alone: it learns to sound like the speaker from any language, without transcripts, and cannot read a text.

backbone.py     the backbone's interface
settings.py     VOICE_TRAIN_*
training.py     one step
evaluation.py   held-out losses, the learning proof, measured again from files
session.py      from a manifest to a checkpoint document
"""
