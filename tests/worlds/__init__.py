"""What the tests draw, write, start and compare with: small worlds whose answers are known."""
