"""From the natural base to one speaker's voice.

settings.py        VOICE_NATURAL_*
material.py        from a manifest to utterances with symbols, times, melody
segments.py        what one step hears
losses.py          how far one wave lies from another
discriminators.py  networks that tell speech from what the decoder makes
training.py        the two stages: spectra alone, then against the discriminators
learning.py        the proof that it learnt
session.py         from gathered speech to a checkpoint document
backbone.py        the backbone's interface
"""
