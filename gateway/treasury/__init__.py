"""What is still to be collected, how old it is, how long collection takes; each figure with the invoices behind it."""
