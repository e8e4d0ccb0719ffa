"""Being a Lambda: settings, wiring, HTTP, pages, logs."""
