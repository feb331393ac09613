"""How the cast of the tests comes into being: through the same services as in the product."""
