//! The request path over pool and store.
