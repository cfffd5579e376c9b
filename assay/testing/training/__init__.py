"""What tests of whole trainings share."""
