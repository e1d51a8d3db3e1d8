"""A complete platform on this machine: it takes invoices and answers them with lifecycle messages, by scenario."""
