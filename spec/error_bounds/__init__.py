"""How far a correct float32 result may be from the definition in float64."""
