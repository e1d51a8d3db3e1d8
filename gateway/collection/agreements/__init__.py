"""What a customer and we agreed or disagree on: promises to pay, disputes, instalment plans."""
