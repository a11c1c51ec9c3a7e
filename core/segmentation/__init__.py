"""From prompts to candidates. Knows no database; imports torch only where a SAM model is used."""
