"""The demonstration: eighty days of a wholesaler's invoices and receivables, lived in a minute."""
