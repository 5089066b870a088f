//! The reader's walls.
