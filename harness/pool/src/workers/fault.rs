//! What a worker does wrong with one request, on purpose: plain data that travels with the request, and what each fault means for one
//! service as a pure function, so that a child process and an in-process worker fail alike.

use crate::clock::Nanos;

/// Before or after what the worker is asked to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Moment {
    /// Before the service has begun.
    Before,
    /// After the service, before its reply.
    After,
}

/// A fault of one request. A request that is dispatched again goes without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RequestFault {
    /// The worker kills itself by SIGKILL; an in-process one is aborted.
    Kill(Moment),
    /// The worker exits with this code.
    Exit(Moment, u8),
    /// `After`: the worker has read the request and never answers. `Before`: it answers, and reads nothing more.
    Hang(Moment),
    /// The worker stops itself by SIGSTOP, after it has read the request; an in-process one hangs.
    Stop,
    /// The reply leaves this many ns after the service has ended.
    Late(Nanos),
    /// The reply is sent twice.
    Duplicate,
    /// Bytes that are no frame come in place of the reply.
    Garbage,
    /// The reply is written in this many pieces, with pauses between them; an in-process worker has nothing to split.
    Split(u16),
    /// So many well-formed frames that nobody asked for come before the reply.
    FloodStdout(u32),
    /// So many bytes of noise on stderr come before the reply; an in-process worker has no stderr.
    FloodStderr(u32),
    /// So many MiB are allocated and touched, and held for so many ms beyond the service; an in-process worker only takes that longer.
    Balloon {
        /// Size, MiB.
        mib: u32,
        /// Time, ms.
        ms: u32,
    },
}

/// How a worker ends in the middle of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    Killed,
    Exit(u8),
    Hang,
    Stop,
}

/// What a fault does to one service, in the order in which it happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effects {
    /// Instead of the service.
    pub(super) before: Option<Ending>,
    /// Memory held during the service, MiB.
    pub(super) balloon_mib: u32,
    /// Added to the service, ns.
    pub(super) longer_ns: Nanos,
    /// Instead of the reply.
    pub(super) after: Option<Ending>,
    /// Between the service and the reply, ns.
    pub(super) late_ns: Nanos,
    /// Bytes on stderr before the reply.
    pub(super) stderr_bytes: u32,
    /// Unasked frames before the reply.
    pub(super) unasked: u32,
    /// Whether the reply is no frame.
    pub(super) garbage: bool,
    /// Writes of the reply.
    pub(super) pieces: u16,
    /// Replies.
    pub(super) replies: u8,
    /// Whether nothing is read after the reply.
    pub(super) deaf: bool,
}

impl Effects {
    /// A service as it should be.
    pub(super) const NONE: Effects = Effects {
        before: None,
        balloon_mib: 0,
        longer_ns: 0,
        after: None,
        late_ns: 0,
        stderr_bytes: 0,
        unasked: 0,
        garbage: false,
        pieces: 1,
        replies: 1,
        deaf: false,
    };

    /// What `fault` does.
    pub(super) fn of(fault: Option<RequestFault>) -> Effects {
        let none = Effects::NONE;
        let ends = |moment, ending| match moment {
            Moment::Before => Effects { before: Some(ending), ..none },
            Moment::After => Effects { after: Some(ending), ..none },
        };
        match fault {
            None => none,
            Some(RequestFault::Kill(moment)) => ends(moment, Ending::Killed),
            Some(RequestFault::Exit(moment, code)) => ends(moment, Ending::Exit(code)),
            Some(RequestFault::Hang(Moment::Before)) => Effects { deaf: true, ..none },
            Some(RequestFault::Hang(Moment::After)) => ends(Moment::Before, Ending::Hang),
            Some(RequestFault::Stop) => ends(Moment::Before, Ending::Stop),
            Some(RequestFault::Late(late_ns)) => Effects { late_ns, ..none },
            Some(RequestFault::Duplicate) => Effects { replies: 2, ..none },
            Some(RequestFault::Garbage) => Effects { garbage: true, ..none },
            Some(RequestFault::Split(pieces)) => Effects { pieces: pieces.max(1), ..none },
            Some(RequestFault::FloodStdout(unasked)) => Effects { unasked, ..none },
            Some(RequestFault::FloodStderr(stderr_bytes)) => Effects { stderr_bytes, ..none },
            Some(RequestFault::Balloon { mib, ms }) => {
                Effects { balloon_mib: mib, longer_ns: u64::from(ms).saturating_mul(1_000_000), ..none }
            }
        }
    }
}

impl RequestFault {
    /// The fault as a code, which is never 0, and one parameter: how it travels.
    pub fn code(self) -> (u8, u64) {
        let moment = |at: Moment| u64::from(at == Moment::After);
        match self {
            RequestFault::Kill(at) => (1, moment(at)),
            RequestFault::Exit(at, code) => (2, moment(at) << 8 | u64::from(code)),
            RequestFault::Hang(at) => (3, moment(at)),
            RequestFault::Stop => (4, 0),
            RequestFault::Late(ns) => (5, ns),
            RequestFault::Duplicate => (6, 0),
            RequestFault::Garbage => (7, 0),
            RequestFault::Split(pieces) => (8, u64::from(pieces)),
            RequestFault::FloodStdout(frames) => (9, u64::from(frames)),
            RequestFault::FloodStderr(bytes) => (10, u64::from(bytes)),
            RequestFault::Balloon { mib, ms } => (11, u64::from(mib) << 32 | u64::from(ms)),
        }
    }

    /// The fault of a code and its parameter; `None` for a code or parameter that no fault has.
    pub fn from_code(code: u8, parameter: u64) -> Option<RequestFault> {
        let moment = |bit| match bit {
            0 => Some(Moment::Before),
            1 => Some(Moment::After),
            _ => None,
        };
        let small = u32::try_from(parameter);
        match code {
            1 => moment(parameter).map(RequestFault::Kill),
            2 => moment(parameter >> 8).map(|at| RequestFault::Exit(at, parameter as u8)),
            3 => moment(parameter).map(RequestFault::Hang),
            4 => Some(RequestFault::Stop),
            5 => Some(RequestFault::Late(parameter)),
            6 => Some(RequestFault::Duplicate),
            7 => Some(RequestFault::Garbage),
            8 => u16::try_from(parameter).ok().map(RequestFault::Split),
            9 => small.ok().map(RequestFault::FloodStdout),
            10 => small.ok().map(RequestFault::FloodStderr),
            11 => Some(RequestFault::Balloon { mib: (parameter >> 32) as u32, ms: parameter as u32 }),
            _ => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn any_fault() -> impl Strategy<Value = RequestFault> {
        let moment = prop_oneof![Just(Moment::Before), Just(Moment::After)];
        prop_oneof![
            moment.clone().prop_map(RequestFault::Kill),
            (moment.clone(), any::<u8>()).prop_map(|(at, code)| RequestFault::Exit(at, code)),
            moment.prop_map(RequestFault::Hang),
            Just(RequestFault::Stop),
            any::<u64>().prop_map(RequestFault::Late),
            Just(RequestFault::Duplicate),
            Just(RequestFault::Garbage),
            any::<u16>().prop_map(RequestFault::Split),
            any::<u32>().prop_map(RequestFault::FloodStdout),
            any::<u32>().prop_map(RequestFault::FloodStderr),
            (any::<u32>(), any::<u32>()).prop_map(|(mib, ms)| RequestFault::Balloon { mib, ms }),
        ]
    }

    proptest! {
        #[test]
        fn a_fault_travels_unchanged_and_does_something(fault in any_fault()) {
            let (code, parameter) = fault.code();
            prop_assert!(code != 0);
            prop_assert_eq!(RequestFault::from_code(code, parameter), Some(fault));
            let harmless = matches!(fault, RequestFault::Late(0) | RequestFault::Split(0 | 1) | RequestFault::FloodStdout(0)
                | RequestFault::FloodStderr(0) | RequestFault::Balloon { mib: 0, ms: 0 });
            prop_assert_eq!(Effects::of(Some(fault)) == Effects::NONE, harmless);
        }

        #[test]
        fn any_code_is_a_fault_that_travels_or_none(code: u8, parameter: u64) {
            if let Some(fault) = RequestFault::from_code(code, parameter) {
                prop_assert_eq!(RequestFault::from_code(fault.code().0, fault.code().1), Some(fault));
            }
        }
    }
}
