"""Customers: whom we invoice, their contacts, credit limits and covers, and what is known of them."""
