"""What a synthetic voice is worth, measured: similarity to the speaker, intelligibility, predicted listening opinion, faults of the signal.

    python -m trainer.evaluation evaluate --generated clips/ --reference held_out/ --texts sentences.txt --output evaluation.json
    python -m trainer.evaluation rate clips/ --texts sentences.txt --reference held_out/
"""
