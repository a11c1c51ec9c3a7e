"""HTTP routes for the canvas and for scripts. The only code that imports starlette."""
