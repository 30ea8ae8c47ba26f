"""Reading what a message is about: a linear model over character n-grams, learnt from labelled messages.

`load(path)` gives a `Classifier`; `Classifier.read(title, detail)` a `Reading`. Reading needs numpy alone.
"""

from .matters import Matter, matters, reader
from .model import Classifier, Guess, Reading
from .model_file import load

__all__ = ["Classifier", "Guess", "Matter", "Reading", "load", "matters", "reader"]
