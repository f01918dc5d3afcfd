"""Models take benchmark tasks: planned, asked through the engine, scored from the journal, kept, compared."""
