"""The executable meaning of the claims: definitions in float64."""
