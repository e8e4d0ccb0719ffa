"""`lti`, the operator's command: registers platforms, fills the catalogue. See `lti --help`."""
