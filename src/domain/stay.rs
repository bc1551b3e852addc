//! Owns the life of a stay: state × deed, every pair written out, with its refusal where there is one.

/// 就诊状态 of one inpatient stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Admitted (2401), nothing settled.
    InHospital,
    /// In hospital, one or more parts settled (mid-stay settlement).
    PartlySettled,
    /// Discharged (2402), the rest not settled yet. Earlier parts may stand.
    Discharged,
    /// Finally settled (2304).
    Settled,
    /// Admission cancelled (2404).
    Cancelled,
}

impl State {
    pub const ALL: [State; 5] =
        [State::InHospital, State::PartlySettled, State::Discharged, State::Settled, State::Cancelled];
}

/// What a transaction wants to do to a stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Act {
    /// 2301
    Upload,
    /// 2302
    Withdraw,
    /// 2303: commits nothing, is refused like what it quotes.
    Quote,
    /// 2304 with `mid_setl_flag` 1
    SettlePart,
    /// 2304 with `mid_setl_flag` 0
    Settle,
    /// 2305 (or 2601 of 2304) of a part
    ReversePart,
    /// 2305 (or 2601 of 2304) of the final settlement
    Reverse,
    /// 2402
    Discharge,
    /// 2403
    Change,
    /// 2404 (or 2601 of 2401)
    CancelAdmission,
    /// 2405
    CancelDischarge,
    /// 2601 of 2305: the reversed settlement stands again.
    Revive,
    /// 2601 of 2305 where the reversed settlement was a part.
    RevivePart,
}

impl Act {
    pub const ALL: [Act; 13] = [
        Act::Upload,
        Act::Withdraw,
        Act::Quote,
        Act::SettlePart,
        Act::Settle,
        Act::ReversePart,
        Act::Reverse,
        Act::Discharge,
        Act::Change,
        Act::CancelAdmission,
        Act::CancelDischarge,
        Act::Revive,
        Act::RevivePart,
    ];
}

/// Why the state of the stay forbids the act. Each has its sentence and next step in `protocol::answer`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutOfOrder {
    /// The admission was cancelled: admit again.
    AdmissionCancelled,
    /// Settled: reverse first (2305).
    AlreadySettled,
    /// Discharged: cancel the discharge first (2405).
    AlreadyDischarged,
    /// Not discharged yet: send 2402 first.
    NotDischarged,
    /// Nothing is settled that could be reversed.
    NotSettled,
    /// Parts stand: reverse them first, last first.
    PartsStand,
    /// The final settlement stands: reverse it before its parts.
    FinalStands,
}

/// The state after an act. `parts_left` is how many parts would still be settled after it.
///
/// No default arm: a new state or act does not compile until each of its pairs has a row.
pub fn next(state: State, act: Act, parts_left: usize) -> Result<State, OutOfOrder> {
    use Act as A;
    use OutOfOrder as No;
    use State as S;
    let in_hospital = if parts_left == 0 { S::InHospital } else { S::PartlySettled };
    match (state, act) {
        (
            S::InHospital | S::PartlySettled | S::Discharged,
            A::Upload | A::Withdraw | A::Quote | A::Change,
        ) => Ok(state),
        (S::Settled, A::Upload | A::Withdraw | A::Quote | A::Change) => Err(No::AlreadySettled),

        (S::InHospital | S::PartlySettled, A::SettlePart) => Ok(S::PartlySettled),
        (S::Discharged, A::SettlePart) => Err(No::AlreadyDischarged),
        (S::Settled, A::SettlePart) => Err(No::AlreadySettled),

        (S::InHospital | S::PartlySettled, A::Settle) => Err(No::NotDischarged),
        (S::Discharged, A::Settle) => Ok(S::Settled),
        (S::Settled, A::Settle) => Err(No::AlreadySettled),

        (S::PartlySettled, A::ReversePart) => Ok(in_hospital),
        (S::Discharged, A::ReversePart) => Ok(S::Discharged),
        (S::Settled, A::ReversePart) => Err(No::FinalStands),
        (S::InHospital, A::ReversePart) => Err(No::NotSettled),

        (S::Settled, A::Reverse) => Ok(S::Discharged),
        (S::InHospital | S::PartlySettled | S::Discharged, A::Reverse) => Err(No::NotSettled),

        (S::InHospital | S::PartlySettled, A::Discharge) => Ok(S::Discharged),
        (S::Discharged, A::Discharge) => Err(No::AlreadyDischarged),
        (S::Settled, A::Discharge) => Err(No::AlreadySettled),

        (S::InHospital, A::CancelAdmission) => Ok(S::Cancelled),
        (S::PartlySettled, A::CancelAdmission) => Err(No::PartsStand),
        (S::Discharged, A::CancelAdmission) => Err(No::AlreadyDischarged),
        (S::Settled, A::CancelAdmission) => Err(No::AlreadySettled),

        (S::Discharged, A::CancelDischarge) => Ok(in_hospital),
        (S::InHospital | S::PartlySettled, A::CancelDischarge) => Err(No::NotDischarged),
        (S::Settled, A::CancelDischarge) => Err(No::AlreadySettled),

        (S::Discharged, A::Revive) => Ok(S::Settled),
        (S::InHospital | S::PartlySettled, A::Revive) => Err(No::NotDischarged),
        (S::Settled, A::Revive | A::RevivePart) => Err(No::AlreadySettled),
        (S::InHospital | S::PartlySettled, A::RevivePart) => Ok(S::PartlySettled),
        (S::Discharged, A::RevivePart) => Ok(S::Discharged),

        (
            S::Cancelled,
            A::Upload
            | A::Withdraw
            | A::Quote
            | A::SettlePart
            | A::Settle
            | A::ReversePart
            | A::Reverse
            | A::Discharge
            | A::Change
            | A::CancelAdmission
            | A::CancelDischarge
            | A::Revive
            | A::RevivePart,
        ) => Err(No::AdmissionCancelled),
    }
}

#[cfg(test)]
mod tests {
    use super::Act as A;
    use super::OutOfOrder as No;
    use super::State as S;
    use super::*;

    #[test]
    fn a_stay_runs_from_admission_to_settlement_and_back() {
        let story = [
            (A::Upload, S::InHospital),
            (A::SettlePart, S::PartlySettled),
            (A::Discharge, S::Discharged),
            (A::Settle, S::Settled),
            (A::Reverse, S::Discharged),
            (A::Revive, S::Settled),
            (A::Reverse, S::Discharged),
            (A::ReversePart, S::Discharged),
        ];
        let mut state = S::InHospital;
        for (act, expected) in story {
            state = next(state, act, 1).unwrap();
            assert_eq!(state, expected, "after {act:?}");
        }
        assert_eq!(next(state, A::CancelDischarge, 0), Ok(S::InHospital));
        assert_eq!(next(state, A::CancelDischarge, 1), Ok(S::PartlySettled));
    }

    #[test]
    fn reversing_the_last_part_leaves_an_ordinary_stay() {
        assert_eq!(next(S::PartlySettled, A::ReversePart, 1), Ok(S::PartlySettled));
        assert_eq!(next(S::PartlySettled, A::ReversePart, 0), Ok(S::InHospital));
    }

    #[test]
    fn every_pair_has_the_answer_that_the_table_gives() {
        let refused = |state: State| A::ALL.map(|act| next(state, act, 0).err());
        let (done, out, none) = (Some(No::AlreadySettled), Some(No::AlreadyDischarged), Some(No::NotSettled));
        let (still_in, parts) = (Some(No::NotDischarged), Some(No::PartsStand));
        //                               Upload Withdr Quote  Part   Settle    RevPart              Reverse Disch  Change CancelA CancelD   Revive    RevivePart
        assert_eq!(
            refused(S::InHospital),
            [None, None, None, None, still_in, none, none, None, None, None, still_in, still_in, None]
        );
        assert_eq!(
            refused(S::PartlySettled),
            [None, None, None, None, still_in, None, none, None, None, parts, still_in, still_in, None]
        );
        assert_eq!(
            refused(S::Discharged),
            [None, None, None, out, None, None, none, out, None, out, None, None, None]
        );
        let last = Some(No::FinalStands);
        assert_eq!(
            refused(S::Settled),
            [done, done, done, done, done, last, None, done, done, done, done, done, done]
        );
        assert_eq!(refused(S::Cancelled), [Some(No::AdmissionCancelled); 13]);
    }
}
