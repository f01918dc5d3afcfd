"""Pictures of the arena. Each file is a pure function from plain rows to a Plotly figure."""
