"""Holds the networks: acoustic model, vocoder, aligner, speaker encoder."""
