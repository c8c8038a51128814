"""What a synthetic voice is worth, measured: similarity to the speaker, intelligibility, predicted listening opinion, faults of the signal.

voice evaluate --generated clips/ --reference held_out/ --texts sentences.txt --output evaluation.json
voice benchmark rate clips/ --reference held_out/ --texts sentences.txt
"""
