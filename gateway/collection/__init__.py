"""From an alert to cash: the collection action to take, and whether an invoice may be chased."""
