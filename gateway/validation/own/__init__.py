"""The gateway's own checks (GW-…): warnings about what the official rules let pass and people pay for later."""
