"""What the app keeps: tables, queries, migrations and files. Imports nothing of ours."""
