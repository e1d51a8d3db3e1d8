"""The life of an invoice: status catalogue, CDAR messages, immutable events, decisions and projections over them."""
