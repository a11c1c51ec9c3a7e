"""Faces and number plates: where they are, and how they are made unrecognisable."""
