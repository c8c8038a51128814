"""What a synthetic voice is worth, measured: similarity to the speaker, intelligibility, and predicted listening opinion.

    python -m trainer.scores rate clips/ --texts sentences.txt --reference held_out/
"""
