"""The books of the company: what its accounting says of customers, beside what the gateway knows of them."""
