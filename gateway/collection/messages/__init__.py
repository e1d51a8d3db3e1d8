"""What is written to customers: e-mails and letters."""
