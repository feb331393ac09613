"""The SAML 2.0 protocol as values in, values out: requests, responses and metadata, behind our own gate."""
