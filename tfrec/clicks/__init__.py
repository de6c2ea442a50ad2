"""Click models: what the clicks on shown lists say about the items, apart from the places that they were shown at.

NumPy alone; it knows pairs of query and item as numbers, nothing of files, texts or shops.
"""

from tfrec.clicks.choosing import MODELS, Choice, choose_model
from tfrec.clicks.gains import Gains, gains_of
from tfrec.clicks.lists import Lists
from tfrec.clicks.model import ClickModel, Fitted

__all__ = ["MODELS", "Choice", "ClickModel", "Fitted", "Gains", "Lists", "choose_model", "gains_of"]
