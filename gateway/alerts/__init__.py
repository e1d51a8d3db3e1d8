"""What needs a person: the conditions that open and close alerts, who should act, by when."""
