"""From bytes to one `Invoice` in the terms of EN 16931, whatever the syntax: UBL 2.1, CII or a Factur-X PDF.

`reading` is the door; `detection` says what a file is, by its content; `ubl`, `cii` and `pdf` know one syntax each;
`model` holds the terms; `rendering` makes the readable page; `xml` is the one parser of the gateway.
"""
