use super::*;
use crate::decode::recording::End;

const VERSION: Version = Version::Lite06;

/// GROUP 3 of subscription 0, and a frame of two bytes.
const GROUP: [u8; 9] = [0, 3, 0, 3, 0, 2, 2, b'h', b'i'];

fn uni(binding: Binding) -> Half {
    let mut stream = Stream::new(End::Server, Kind::Uni);
    stream.binding = binding;
    Half::request(&stream, VERSION)
}

fn all(half: &mut Half) -> Vec<String> {
    let found = std::iter::from_fn(|| half.next());
    found.map(|found| format!("{found:?}")).collect()
}

fn fault(found: Option<Found>) -> Fault {
    match found.map(|found| found.item) {
        Some(Item::Fault(fault)) => fault,
        other => panic!("{other:?}"),
    }
}

#[test]
fn items_do_not_depend_on_how_their_bytes_come() {
    let mut whole = uni(Binding::Bare);
    whole.feed(&GROUP);
    let mut piecewise = uni(Binding::Bare);
    let mut found = Vec::new();
    for byte in GROUP {
        piecewise.feed(&[byte]);
        found.extend(all(&mut piecewise));
    }
    assert_eq!(all(&mut whole), found);
    assert_eq!(found.len(), 3);
    assert!(whole.end(Ended::Finished).is_none());
}

#[test]
fn what_is_cut_short_is_wrong_only_where_the_stream_ended_well() {
    for cut in 1..GROUP.len() {
        let half = || {
            let mut half = uni(Binding::Bare);
            half.feed(&GROUP[..cut]);
            all(&mut half);
            half
        };
        // The header alone is a group without frames.
        if cut == 5 {
            assert!(half().end(Ended::Finished).is_none());
            continue;
        }
        let end = fault(half().end(Ended::Finished));
        assert_eq!((end.at, end.marked.start), (cut, end.excerpt.len()));
        for ended in [Ended::GivenUp, Ended::Open] {
            let left = half().end(ended).map(|found| found.item);
            assert!(
                cut == 1 && left.is_none() || matches!(left, Some(Item::Incomplete(_))),
                "{cut}: {left:?}"
            );
        }
    }
}

#[test]
fn a_fault_marks_the_field_or_all_that_contradicts() {
    let mut half = uni(Binding::Bare);
    half.feed(&[1, 7, 2, 4, 1, 1, 4, 1, 1]);
    assert!(matches!(
        half.next().unwrap().item,
        Item::StreamType(1, "Setup")
    ));
    let repeated = fault(half.next());
    assert_eq!((repeated.at, repeated.excerpt_at), (6, 1));
    assert_eq!(repeated.marked, 5..6);
    assert!(half.next().is_none());

    let found = |expected, bytes: &[u8]| {
        let mut half = Half::answer(VERSION);
        half.settle(Next::One(expected));
        half.feed(bytes);
        fault(half.next())
    };
    // A timescale of 0; a message of 128 KiB; a last frame without a last group.
    let zero = found(Expect::TrackInfo, &[3, 1, 2, 0]);
    assert_eq!((zero.at, zero.marked), (3, 3..4));
    let long = found(Expect::Response, &[0, 0x80, 2, 0, 0]);
    assert_eq!((long.at, long.marked), (1, 1..2));
    let last = found(Expect::SubscribeUpdate, &[6, 0, 0, 0, 0, 0, 1]);
    assert_eq!((last.at, last.marked), (0, 0..7));
}

#[test]
fn a_header_of_webtransport_is_passed_over() {
    let mut half = uni(Binding::WebTransport);
    half.feed(&[0x40, 0x54]);
    assert!(half.next().is_none());
    half.feed(&[0x00]);
    half.feed(&GROUP);
    assert_eq!(all(&mut half).len(), 4);
    let mut bare = uni(Binding::WebTransport);
    bare.feed(&GROUP);
    assert!(matches!(fault(bare.next()).wrong, Wrong::NotWebTransport));
}

#[test]
fn an_answer_is_held_until_its_request_is_known() {
    let mut answer = Half::answer(VERSION);
    answer.feed(&[2, 1, b'x']);
    assert!(answer.next().is_none());
    let stream = Stream::new(End::Client, Kind::Bi);
    let mut request = Half::request(&stream, VERSION);
    // FETCH of r, x, from frame 4 of group 1 on.
    request.feed(&[3, 8, 1, b'r', 1, b'x', 0, 1, 4]);
    all(&mut request);
    assert!(request.answered_with().is_none());
    request.feed(&[0]);
    all(&mut request);
    answer.settle(request.answered_with().unwrap());
    let frame = answer.next().unwrap();
    let Item::Message(frame) = frame.item else {
        panic!("{frame:?}");
    };
    assert_eq!(frame.get("frame"), Some(&Value::Number(4)));
}
