"""A face network adapted to one film by self-distillation."""
