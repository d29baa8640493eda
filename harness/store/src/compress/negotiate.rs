//! Content negotiation by `Accept-Encoding` (RFC 9110, 12.5.3).

use super::Codec;

/// The longest `Accept-Encoding` that is read, bytes.
pub const ACCEPT_MAX: usize = 1024;

/// Nothing the server has may be sent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAcceptable {
    /// The client refuses every codec of the offer and identity too.
    #[error("the client accepts neither identity nor any of [{offer}]; accept one of these")]
    Nothing {
        /// What was offered, by name.
        offer: String,
    },
    /// Longer than [`ACCEPT_MAX`].
    #[error("accept-encoding has {bytes} bytes, over the limit of {ACCEPT_MAX}; send a shorter list")]
    TooLong {
        /// Its length, bytes.
        bytes: usize,
    },
}

/// A weight in thousandths.
type Weight = u16;

/// The codec to answer with. An empty `accept` accepts identity only.
///
/// The client's weights decide, then the order of `offer`; identity stands last unless it is offered. Identity needs no
/// mention to be acceptable, but then anything accepted goes before it. The first mention of a name counts; entries
/// that are malformed and names that are unknown are ignored.
///
/// # Errors
/// Where nothing on offer is acceptable, and where `accept` is longer than [`ACCEPT_MAX`].
pub fn negotiate(accept: &str, offer: &[Codec]) -> Result<Codec, NotAcceptable> {
    if accept.len() > ACCEPT_MAX {
        return Err(NotAcceptable::TooLong { bytes: accept.len() });
    }
    let accepted: Vec<(&str, Weight)> = accept.split(',').filter_map(entry).collect();
    let mut best: Option<(Codec, Weight)> = None;
    let last = (!offer.contains(&Codec::Identity)).then_some(Codec::Identity);
    for codec in offer.iter().copied().chain(last) {
        if let Some(weight) = weight(&accepted, codec)
            && best.is_none_or(|(_, highest)| weight > highest)
        {
            best = Some((codec, weight));
        }
    }
    let offered = || offer.iter().map(|codec| codec.name()).collect::<Vec<_>>().join(", ");
    best.map(|(codec, _)| codec).ok_or_else(|| NotAcceptable::Nothing { offer: offered() })
}

/// What the client gives to `codec`; `None` where it must not be sent.
fn weight(accepted: &[(&str, Weight)], codec: Codec) -> Option<Weight> {
    let named = accepted.iter().find(|(name, _)| Codec::named(name) == Some(codec));
    let given = named.or_else(|| accepted.iter().find(|(name, _)| *name == "*"));
    match given {
        Some((_, 0)) => None,
        Some((_, weight)) => Some(*weight),
        // Unmentioned identity is acceptable, behind whatever the client asked for.
        None => (codec == Codec::Identity).then_some(0),
    }
}

/// `name` or `name;q=weight`, with blanks around either.
fn entry(text: &str) -> Option<(&str, Weight)> {
    let blank = |c: char| c == ' ' || c == '\t';
    let mut parts = text.splitn(2, ';').map(|part| part.trim_matches(blank));
    let name = parts.next().filter(|name| !name.is_empty() && !name.contains(char::is_whitespace))?;
    let Some(parameter) = parts.next() else {
        return Some((name, 1000));
    };
    let (key, value) = parameter.split_once('=')?;
    if !key.eq_ignore_ascii_case("q") {
        return None;
    }
    Some((name, thousandths(value)?))
}

/// `0`, `0.5`, `0.125`, `1`, `1.000`: at most three decimals and at most one.
fn thousandths(text: &str) -> Option<Weight> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let weight: Weight = format!("{whole}{decimals:0<3}").parse().ok()?;
    (weight <= 1000).then_some(weight)
}

#[cfg(test)]
mod tests;
