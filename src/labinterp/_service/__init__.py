"""The web service, by what flows out of its modules; `service` puts them together."""
