"""The client side of XP Z12-013: what any accredited platform can be asked, whoever it is."""
