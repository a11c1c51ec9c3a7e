"""What people see. The only code that imports streamlit."""
