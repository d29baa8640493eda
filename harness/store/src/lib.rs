//! Session store: files, JSON, compression, SQLite, over one disk trait.
