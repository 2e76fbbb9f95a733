"""The database backend for MongoDB: django-mongodb-backend, with migrations that can be interrupted (`base`)."""
