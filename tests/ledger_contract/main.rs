//! What a ledger promises, as one suite for every database, and what each database must survive.

#![expect(clippy::unwrap_used, reason = "what a test needs and does not get ends it")]

mod actor;
mod ground;
mod kill;
mod outage;
mod postgres;
mod schema;
mod seals;
mod silent;
mod sqlite;
mod stage;
mod suite;
mod tls;

/// Each function of the suite as a test of one backend.
macro_rules! contract {
    ($backend:expr; $($topic:ident { $($name:ident),* $(,)? })*) => {$($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $name() {
            crate::suite::$topic::$name(crate::stage::Stage::new($backend)).await;
        }
    )*)*};
    ($backend:expr) => {
        contract! { $backend;
            messages {
                a_replay_finds_the_first_record,
                a_replay_finds_the_first_record_after_a_restart,
                other_content_under_the_same_key_is_seen,
                the_same_key_about_another_person_is_another_message,
                a_fence_before_the_deed_stops_it,
                a_fence_after_the_deed_is_not_set,
                a_reversal_undoes_and_restores_everything,
                a_revived_settlement_answers_again,
                cancelled_stays_and_withdrawn_lines_undo_their_messages,
                a_message_is_traced_without_knowing_whose_it_was,
            }
            contention {
                fence_and_deed_contend_and_one_wins,
                a_deed_on_old_facts_is_refused_whole,
                uploads_guard_the_stay_and_not_the_person,
                two_hundred_deeds_of_one_person_take_turns,
                fifty_sends_of_one_settlement_move_money_once,
                two_nodes_settle_reverse_and_replay_the_same_persons,
                many_persons_settle_at_once_and_the_month_sums,
            }
            reading {
                an_import_makes_persons_and_finds_them_by_what_they_carry,
                a_stay_is_found_only_with_the_number_of_its_person,
                records_are_read_back_as_they_were_given,
                shared_tables_are_replaced_by_key_and_move_their_version,
            }
            bounds {
                time_stands_still_when_the_clock_jumps_back,
                nothing_is_settled_before_a_raised_floor,
                a_deed_that_contradicts_itself_is_not_recorded,
                a_deed_that_the_schema_refuses_does_not_harm_its_batch,
            }
        }
    };
}
use contract;
