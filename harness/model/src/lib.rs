//! Vocabulary: ids, units, plan, child protocol, record, histogram, run directory.
