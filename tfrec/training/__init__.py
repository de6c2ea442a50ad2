"""Fine-tuning: the input pipeline, the optimiser and a loop that resumes and keeps to its time."""
