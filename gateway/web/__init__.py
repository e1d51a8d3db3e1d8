"""The pages: server-rendered, French first, for the people who collect and those who watch the cash."""
