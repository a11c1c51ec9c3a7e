"""Masks in the formats of other tools: pure writers and readers, one file a format."""
