"""What a platform says by itself, in its list or by calling us: flows for us, and acknowledgements of ours.

Whichever way a flow is heard first, it is recorded once.
"""
