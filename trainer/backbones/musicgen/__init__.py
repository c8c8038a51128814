"""MusicGen-small (Copet et al. 2023) as a backbone: low-rank adapters inside its language model, everything else frozen.

weights.py      the pre-seeded folder, judged before anything is loaded
base.py         the frozen model: waves to EnCodec tokens, prompts to conditions
adapters.py     low-rank adapters (Hu et al. 2021) in the decoder's blocks
delay.py        MusicGen's arrangement of the codebooks in time, and the loss over it
examples.py     utterances as tokens with a prompt, batches of them
training.py     the loop
evaluation.py   held-out losses, the learning proof, measured again from files
document.py     the checkpoint: adapters, identity of the base, licence
generation.py   text to a wave
session.py      from a manifest to a checkpoint document
backbone.py     all of it behind trainer.backbones.Backbone
"""
