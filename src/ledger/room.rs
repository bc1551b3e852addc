//! Owns the room that states are kept with. A row that keeps its length is replaced where it stands; one that grows moves
//! rows of its neighbours from page to page.

/// Steps in which they grow, so that most never do: bytes.
const PERSON: usize = 512;
const STAY: usize = 256;

/// The state of a person with blanks behind it, which JSON does not mind.
pub(super) fn of_person(state: String) -> String {
    roomy(state, PERSON)
}

/// The same of a stay.
pub(super) fn of_stay(state: String) -> String {
    roomy(state, STAY)
}

fn roomy(mut state: String, step: usize) -> String {
    let blanks = state.len().next_multiple_of(step) - state.len();
    state.extend(std::iter::repeat_n(' ', blanks));
    state
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::state::PersonState;
    use crate::ledger::codec;

    #[test]
    fn a_state_with_room_behind_it_reads_back() {
        let state = of_person(codec::encode(&PersonState::default()));
        assert_eq!(state.len(), PERSON);
        assert_eq!(codec::decode::<PersonState>("person", &state).unwrap(), PersonState::default());
        assert_eq!(of_stay("x".repeat(STAY)).len(), STAY);
        assert_eq!(of_stay("x".repeat(STAY + 1)).len(), 2 * STAY);
    }
}
