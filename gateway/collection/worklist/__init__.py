"""What each collector does today, the most cash gained first; calls and what came of them; comments on matters."""
