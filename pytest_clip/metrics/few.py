"""Too few samples: they have a number, and no interval."""


class TooFewError(ValueError):
    """So few samples, or so alike, that no interval can be given; the number itself stands."""
