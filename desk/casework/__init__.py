"""What the procedure asks of the desk once a report arrived: duties, decisions, record."""
