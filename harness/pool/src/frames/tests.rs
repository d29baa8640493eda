use proptest::prelude::*;

use super::*;
use crate::workers::fault::tests::any_fault;

fn frames_of(decoder: &mut Decoder) -> Result<Vec<Frame>, FrameError> {
    let mut out = Vec::new();
    while let Some(frame) = decoder.next_frame()? {
        out.push(frame);
    }
    Ok(out)
}

fn any_frame() -> impl Strategy<Value = Frame> {
    let bytes = prop::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
    let how = prop_oneof![Just(How::Sleep), Just(How::Spin)];
    let work = (any::<u64>(), how, prop::option::of(any_fault())).prop_map(|(ns, how, fault)| Work { ns, how, fault });
    let signal = prop::sample::select(Signal::ALL.to_vec());
    prop_oneof![
        Just(Frame::Hello),
        (any::<u64>(), work, any::<u32>(), bytes.clone()).prop_map(|(id, work, progress_ms, payload)| Frame::Request {
            id,
            work,
            progress_ms,
            payload
        }),
        (signal, any::<u64>()).prop_map(|(signal, id)| Frame::Signal { signal, id }),
        (any::<u64>(), any::<u64>(), any::<u64>(), ".{0,200}").prop_map(|(id, done, total, message)| Frame::Progress {
            id,
            done,
            total,
            message: message.into_bytes().into()
        }),
        (any::<u64>(), any::<u64>(), any::<u64>(), any::<bool>(), bytes).prop_map(|(id, begin, end, ok, body)| Frame::Reply {
            id,
            begin,
            end,
            ok,
            body
        }),
    ]
}

fn encode(frame: &Frame, out: &mut Vec<u8>) {
    match frame {
        Frame::Hello => out.extend_from_slice(&hello()),
        Frame::Request { id, work, progress_ms, payload } => encode_request(*id, *work, *progress_ms, payload, out),
        Frame::Reply { id, begin, end, ok, body } => encode_reply(*id, *begin, *end, *ok, body, out),
        Frame::Signal { signal: what, id } => out.extend_from_slice(&signal(*what, *id)),
        Frame::Progress { id, done, total, message } => {
            encode_progress(*id, *done, *total, std::str::from_utf8(message).unwrap(), out);
        }
    }
}

proptest! {
    #[test]
    fn frames_survive_any_cut(frames in prop::collection::vec(any_frame(), 1..6), cuts in prop::collection::vec(1usize..40, 1..20)) {
        let mut wire = Vec::new();
        frames.iter().for_each(|f| encode(f, &mut wire));
        let mut decoder = Decoder::new(2048);
        let (mut seen, mut rest, mut cut) = (Vec::new(), &wire[..], cuts.iter().cycle());
        while !rest.is_empty() {
            let n = (*cut.next().unwrap()).min(rest.len());
            decoder.buffer().extend_from_slice(&rest[..n]);
            rest = &rest[n..];
            seen.extend(frames_of(&mut decoder).unwrap());
        }
        prop_assert_eq!(seen, frames);
    }

    #[test]
    fn garbage_never_panics_nor_grows(junk in prop::collection::vec(any::<u8>(), 0..4000)) {
        let mut decoder = Decoder::new(256);
        for chunk in junk.chunks(97) {
            decoder.extend(chunk);
            while let Ok(Some(_)) = decoder.next_frame() {}
            prop_assert!(decoder.buffer.len() <= 256 + PREFIX + 97);
            if decoder.next_frame().is_err() {
                break;
            }
        }
    }

    #[test]
    fn a_prefix_of_a_frame_is_incomplete_never_wrong(frame in any_frame(), keep in 0usize..320) {
        let mut wire = Vec::new();
        encode(&frame, &mut wire);
        let mut decoder = Decoder::new(2048);
        decoder.extend(&wire[..keep.min(wire.len() - 1)]);
        prop_assert_eq!(decoder.next_frame(), Ok(None));
    }
}

#[test]
fn lengths_above_the_limit_are_refused_before_they_are_buffered() {
    let mut decoder = Decoder::new(100);
    decoder.extend(&u32::MAX.to_le_bytes());
    assert_eq!(decoder.next_frame(), Err(FrameError::TooLong { length: u32::MAX, limit: 100 }));
    assert!(decoder.buffer().capacity() < 64 * 1024);
    decoder.extend(&hello());
    assert!(decoder.next_frame().is_err(), "an error is final");
    let mut wire = Vec::new();
    encode_request(1, Work::new(0, How::Spin), 0, &[7; 100 - (REQUEST_HEAD - PREFIX)], &mut wire);
    let mut decoder = Decoder::new(100);
    decoder.extend(&wire);
    assert!(matches!(decoder.next_frame(), Ok(Some(Frame::Request { .. }))), "a frame of exactly the limit passes");
}

#[test]
fn a_hello_of_another_magic_or_version_is_refused() {
    for at in [13, 21, 22] {
        let mut wire = hello();
        wire[at] ^= 1;
        let mut decoder = Decoder::new(1024);
        decoder.extend(&wire);
        assert_eq!(decoder.next_frame(), Err(FrameError::WrongHello), "byte {at}");
    }
}

#[test]
fn unknown_kinds_and_short_frames_are_refused() {
    for (length, kind, wanted) in [
        (9u32, 99u8, FrameError::UnknownKind(99)),
        (9, HELLO, FrameError::TooShort { kind: HELLO, length: 9 }),
        (3, HELLO, FrameError::TooShort { kind: 0, length: 3 }),
    ] {
        let mut decoder = Decoder::new(1024);
        decoder.extend(&length.to_le_bytes());
        decoder.extend(&[kind]);
        decoder.extend(&[0; 8]);
        assert_eq!(decoder.next_frame(), Err(wanted));
    }
}

#[test]
fn a_message_is_cut_at_a_character_and_a_longer_one_is_refused() {
    let mut wire = Vec::new();
    encode_progress(7, 1, 2, &"\u{20ac}".repeat(MESSAGE_MAX), &mut wire);
    let mut decoder = Decoder::new(4096);
    decoder.extend(&wire);
    let Ok(Some(Frame::Progress { message, .. })) = decoder.next_frame() else { panic!("no progress") };
    assert_eq!(std::str::from_utf8(&message).unwrap(), "\u{20ac}".repeat(MESSAGE_MAX / 3));
    wire.extend([b'x'; 2]);
    let length = wire.len() as u32 - 4;
    wire[..4].copy_from_slice(&length.to_le_bytes());
    decoder.extend(&wire);
    assert!(matches!(decoder.next_frame(), Err(FrameError::TooLong { .. })));
}

#[test]
fn a_request_with_an_unknown_fault_is_refused() {
    let mut wire = request_head(1, Work::new(0, How::Sleep), 0, 0);
    wire[22] = 200;
    let mut decoder = Decoder::new(1024);
    decoder.extend(&wire);
    assert_eq!(decoder.next_frame(), Err(FrameError::UnknownKind(REQUEST)));
}
