"""What a stack becomes: Pulumi components, thin shells around the pure modules beside them."""
