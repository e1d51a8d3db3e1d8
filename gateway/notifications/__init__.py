"""Telling people: notifications in the pages and by e-mail. Webhooks of the gateway's own events come later."""
