"""Folders that billing systems drop files in, on this machine or by SFTP, for those that can call no API."""
