//! Which cases there are.

/// Turns every case into tests of a backend: `transport_conformance!(name: path::of::Pairs)` makes a
/// module of that name.
#[macro_export]
macro_rules! transport_conformance {
    ($name:ident: $pairs:path) => {
        mod $name {
            mod from_client {
                $crate::transport_conformance!(@cases from_client $pairs);
            }
            mod from_server {
                $crate::transport_conformance!(@cases from_server $pairs);
            }
        }
    };
    (@cases $run:ident $pairs:path) => {
        $crate::transport_conformance! {
            @tests $run $pairs;
            streams:
                uni_streams_carry_bytes_in_order
                bidirectional_streams_carry_bytes_both_ways
                an_empty_stream_arrives_with_its_end
                the_halves_of_a_stream_end_on_their_own
                many_streams_arrive_each_once
                large_bodies_arrive_whole_both_ways
                streams_of_both_ends_cross
                a_full_stream_holds_up_no_other
                as_many_streams_are_open_at_once_as_told;
            writes:
                a_write_says_what_it_took
                a_pending_write_has_taken_nothing
                a_write_of_nothing_is_done_at_once
                a_write_goes_on_when_there_is_room
                nothing_is_written_after_the_end
                a_write_to_a_stopped_stream_fails_with_the_code;
            ends:
                a_finished_stream_is_acknowledged
                what_was_written_before_the_end_is_delivered
                an_end_is_told_again
                a_second_end_changes_nothing
                an_ended_stream_takes_any_priority
                what_is_dropped_never_looks_complete
                what_is_dropped_unread_is_stopped
                dropped_streams_harm_no_other;
            resets:
                reset_codes_arrive_as_given
                a_reset_is_told_again
                a_reset_overtakes_what_was_written
                a_reset_before_everything_has_arrived_cuts_the_stream
                a_reset_after_the_acknowledgement_changes_nothing
                an_end_after_a_reset_changes_nothing
                the_first_reset_counts
                a_reset_stream_does_not_count_as_acknowledged;
            stops:
                stop_codes_arrive_as_given
                nothing_is_read_after_a_stop
                the_first_stop_counts
                a_stop_after_the_end_was_read_changes_nothing
                a_stop_after_the_end_was_sent_ends_the_wait
                a_stopped_stream_may_be_ended
                a_stop_leaves_the_other_half;
            credit:
                streams_wait_for_credit
                requests_wait_for_credit
                kinds_have_credit_of_their_own
                credit_of_reset_streams_comes_back
                credit_of_stopped_streams_comes_back
                credit_of_whole_streams_that_are_stopped_comes_back
                a_peer_opens_as_many_requests_as_the_session_can_hold
                paused_streams_leave_room_for_others;
            order:
                a_stream_of_higher_order_overtakes_one_that_has_begun;
            datagrams:
                datagrams_arrive_whole
                datagrams_wait_to_be_received
                what_is_too_long_is_lost
                datagrams_that_nobody_receives_harm_nothing
                a_transport_without_datagrams_says_so;
            wakes:
                a_wait_for_a_stream_wakes_its_last_waker
                a_wait_for_a_request_wakes_its_last_waker
                a_wait_for_a_datagram_wakes_its_last_waker
                a_wait_for_the_end_wakes_its_last_waker
                a_wait_for_bytes_wakes_its_last_waker
                a_wait_for_room_wakes_its_last_waker
                a_wait_for_an_acknowledgement_wakes_its_last_waker
                a_wait_for_stream_credit_wakes_its_last_waker
                a_wait_for_request_credit_wakes_its_last_waker
                one_waker_is_kept_for_each_wait
                what_comes_after_a_wait_was_given_up_is_not_lost
                a_dropped_clone_leaves_the_others_their_wake
                clones_wait_each_for_their_own;
            close:
                code_and_reason_arrive
                a_long_reason_arrives_as_far_as_it_fits
                a_second_close_changes_nothing
                a_close_ends_every_wait_of_the_peer
                a_close_ends_every_wait_of_its_own_end
                a_closed_transport_answers_every_call
                both_ends_may_close_at_once
                the_last_drop_closes;
            alive:
                a_ping_is_answered
                a_ping_is_answered_while_streams_are_full
                both_ends_know_what_they_speak
                what_is_measured_is_told;
        }
    };
    (@tests $run:ident $pairs:path; $($file:ident: $($case:ident)+;)+) => {
        $(mod $file {
            $(#[test]
            fn $case() {
                $crate::testing::conformance::$run::<$pairs, _>(
                    concat!(stringify!($file), "::", stringify!($case)),
                    $crate::testing::conformance::$file::$case,
                );
            })+
        })+
    };
}
