"""Episodes taken as one film."""
