"""E-mail marketing and insight for Wagtail: write, send, and see who did what."""

__version__ = "0.1.0"
