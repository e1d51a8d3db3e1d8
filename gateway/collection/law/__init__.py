"""What the law gives a creditor, and what it takes away with time: penalties, limitation, insolvency, hand-over."""
