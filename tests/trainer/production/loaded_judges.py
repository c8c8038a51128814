"""Imported for its effect: PyTorch and every judge are loaded, and their threads are one, so that the process can be forked."""

import torch

from trainer.production import studio

torch.set_num_threads(1)
studio.try_judges()
