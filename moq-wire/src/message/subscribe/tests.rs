//! Answers to a subscription.

use std::time::Duration;

use bytes::BytesMut;

use super::{SubscribeOk, SubscribeResponse};
use crate::error::{DecodeError, EncodeError};
use crate::id::GroupSequence;
use crate::version::Version;

#[test]
fn a_type_means_what_the_draft_says() {
    let split =
        |bytes: &[u8], version| SubscribeResponse::split(&mut BytesMut::from(bytes), version);
    let drop = SubscribeResponse::Drop {
        first: GroupSequence(2),
        last: GroupSequence(3),
        code: 5,
    };
    let end = SubscribeResponse::End {
        end: GroupSequence(7),
        streams: None,
    };
    assert_eq!(
        split(&[1, 3, 2, 3, 5], Version::Lite04),
        Ok(Some(drop.clone()))
    );
    assert_eq!(split(&[2, 3, 2, 3, 5], Version::Lite06), Ok(Some(drop)));
    assert_eq!(split(&[1, 1, 7], Version::Lite06), Ok(Some(end)));
    assert_eq!(
        split(&[2, 0], Version::Lite04),
        Err(DecodeError::UnknownResponse(2))
    );
    assert_eq!(split(&[1, 1], Version::Lite06), Ok(None));
    assert_eq!(
        split(&[9], Version::Lite06),
        Err(DecodeError::UnknownResponse(9))
    );
}

// spec: SUBSCRIBE_END, "the count of group streams opened for the subscription"
#[test]
fn an_end_may_count_streams() {
    const COUNTED: Version = Version::Lite07Wip;
    let split = |bytes: &[u8]| SubscribeResponse::split(&mut BytesMut::from(bytes), COUNTED);
    let end = |streams| SubscribeResponse::End {
        end: GroupSequence(7),
        streams,
    };
    assert_eq!(split(&[1, 2, 7, 3]), Ok(Some(end(Some(3)))));
    assert_eq!(split(&[1, 1, 7]), Err(DecodeError::PastEnd));
    assert_eq!(
        split(&[2, 3, 2, 3, 5]),
        Err(DecodeError::UnknownResponse(2))
    );
    let mut buf = BytesMut::new();
    assert_eq!(
        end(None).put(&mut buf, COUNTED),
        Err(EncodeError::NoStreamCount)
    );
    assert!(buf.is_empty(), "nor is there a type");
    assert_eq!(end(Some(3)).put(&mut buf, COUNTED), Ok(()));
    assert_eq!(buf, [1, 2, 7, 3][..]);
    buf.clear();
    assert_eq!(end(Some(3)).put(&mut buf, Version::Lite06), Ok(()));
    assert_eq!(buf, [1, 1, 7][..]);
}

#[test]
fn an_answer_the_draft_lacks_is_not_written() {
    let ok = SubscribeOk {
        priority: 1,
        max_age: Duration::ZERO,
        start: None,
        last: None,
    };
    let group = GroupSequence(0);
    let end = SubscribeResponse::End {
        end: group,
        streams: Some(0),
    };
    let dropped = SubscribeResponse::Drop {
        first: group,
        last: group,
        code: 0,
    };
    let missing = [
        (SubscribeResponse::Start(group), Version::Lite04),
        (end, Version::Lite04),
        (SubscribeResponse::Ok(ok), Version::Lite05),
        (dropped.clone(), Version::Lite02),
        (dropped, Version::Lite07Wip),
    ];
    for (response, version) in missing {
        let mut buf = BytesMut::new();
        let put = response.put(&mut buf, version);
        assert_eq!(put, Err(EncodeError::NotInVersion), "{version}");
        assert!(buf.is_empty(), "{response:?} on {version}");
    }
}
