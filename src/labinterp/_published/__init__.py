"""The published forms of what the program prints and takes, as types: the source of the JSON Schemas and of the OpenAPI description."""
