"""XP Z12-013 on both sides: the service billing systems call, the client to the platforms, the local simulator."""
