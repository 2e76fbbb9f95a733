"""The bodies and answers of `/api/v2`, a module for each resource."""
