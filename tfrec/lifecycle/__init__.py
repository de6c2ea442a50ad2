"""What becomes of versions after their export: judged by the gate, promoted, rolled back, kept or removed."""
