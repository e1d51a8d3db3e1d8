"""E-reporting (Flux 10): the transmissions we hand over and what the public portal answers; none is an invoice."""
