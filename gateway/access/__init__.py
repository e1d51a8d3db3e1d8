"""Who may do what: organisations, agencies, users and roles, API clients, sign-in. Imports the database and below."""
