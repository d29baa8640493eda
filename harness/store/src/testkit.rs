//! What tests of this crate make sessions of.

use crate::session::{Message, Role, SessionId};
use proptest::prelude::*;

/// A name.
pub(crate) fn id() -> SessionId {
    SessionId::try_from("s1").unwrap()
}

/// Any message there can be.
pub(crate) fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::User), Just(Role::Assistant), Just(Role::Tool)];
    (role, any::<String>(), any::<u64>(), any::<String>()).prop_map(|(role, tool, digest, text)| Message { role, tool, digest, text })
}
