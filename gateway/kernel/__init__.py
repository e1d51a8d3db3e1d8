"""What every room may use: settings, errors, clock, money, identifiers, bilingual text. Imports no other room."""
