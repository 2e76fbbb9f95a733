"""The routes of `/api/v2`, a module for each resource. Each view reads a body, calls the core once, and answers."""
