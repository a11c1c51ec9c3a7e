"""What a terminal can ask: thin commands over core."""
