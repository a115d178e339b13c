"""Read models as pure folds over the log, and the ports they need."""
