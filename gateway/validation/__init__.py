"""Is this document right? Layer by layer, with the official artefacts, each finding explained to people.

Start at `service.validate`: bytes in, `report.Report` out.
"""
