"""What can be said of a mask without a person."""
