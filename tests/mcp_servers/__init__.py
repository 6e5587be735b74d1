"""Real MCP servers for the tests: one that behaves, one that does whatever the test names."""
