"""The directory of electronic addresses: the Directory Service of XP Z12-013 on both sides, and the check of BT-49."""
