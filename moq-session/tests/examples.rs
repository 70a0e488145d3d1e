//! The examples, run.

#[expect(dead_code, reason = "its main function")]
#[path = "../examples/chat.rs"]
mod chat;
#[expect(dead_code, reason = "its main function")]
#[path = "../examples/clock.rs"]
mod clock;
#[expect(dead_code, reason = "its main function")]
#[path = "../examples/origin.rs"]
mod origin;
#[expect(dead_code, reason = "its main function")]
#[path = "../examples/resume.rs"]
mod resume;

use std::error::Error;
use std::time::Duration;

/// What an example yields, within ten minutes of its own time.
async fn in_time<T>(example: impl Future<Output = Result<T, Box<dyn Error>>>) -> T {
    let ran = tokio::time::timeout(Duration::from_secs(600), example);
    ran.await.expect("it hangs").expect("it fails")
}

#[tokio::test(start_paused = true)]
async fn two_people_read_each_other() {
    let read = in_time(chat::run()).await;
    assert_eq!(
        read,
        [
            "alice reads: Hello, Alice",
            "bob reads: Hello, Bob. How are you?",
            "alice reads: Fine, thank you",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_clock_is_joined_at_the_minute_that_runs() {
    let mut shown = Vec::new();
    let late = Duration::from_millis(62_500);
    in_time(clock::run(late, 4, |line| shown.push(line))).await;
    assert_eq!(shown, ["01:00", "01:01", "01:02", "01:03"]);
}

#[tokio::test(start_paused = true)]
async fn a_subscriber_goes_on_where_it_was() {
    let happened = in_time(resume::run()).await;
    assert_eq!(
        happened,
        [
            "reading",
            "read one",
            "lost the session",
            "reading on at group 0, frame 1",
            "read two",
            "read three",
            "the end",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn an_origin_passes_on_what_its_grants_allow() {
    let seen = in_time(origin::run()).await;
    assert_eq!(seen[0], "the origin has room/news");
    assert_eq!(seen[1], "the reader has Hello");
    assert_eq!(seen[2], "the writer owes nothing");
    assert!(seen[3].contains("code 0x2 (unauthorized)"), "{}", seen[3]);
    assert_eq!(seen.len(), 4);
}
