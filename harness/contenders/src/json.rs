//! JSON: parsing a document and writing one, into types, into trees and into as little as will do.

mod document;
mod parse;
mod serialise;
mod whole;

pub(crate) use parse::PARSE;
pub(crate) use serialise::SERIALISE;
pub(crate) use whole::whole;
