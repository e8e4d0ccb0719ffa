"""The spec as types and rules: no AWS, no network, no environment."""
