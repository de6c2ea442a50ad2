"""The second stage: the best items of the fused score are ordered once more, by features of shopper and item."""
