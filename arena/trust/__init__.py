"""What makes votes trustworthy, as figures: estimates of control battles, the cost of an attack, the page /trust."""
