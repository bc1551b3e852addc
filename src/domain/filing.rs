use crate::domain::calendar::Day;
use crate::domain::ids::FilingId;
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filing {
    pub id: FilingId,
    pub ended_on: Option<Day>,
}
