"""The executable meaning of the claims: float64 definitions, and how far float32 may lie from them."""
