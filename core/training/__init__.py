"""Teaching segmenters and measuring them: examples, the click protocol, scores."""
