"""Two versions compared on real traffic: interleaving and A/B, how much traffic they need, and what it says."""
