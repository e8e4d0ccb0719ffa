"""An LTI 1.3 tool: the spec in `domain`, its verbs in `use_cases`, the world in `adapters`, Lambda in `runtime`."""
