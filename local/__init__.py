"""The template, running on a laptop: no Docker, no AWS account."""
