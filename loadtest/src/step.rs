//! Owns the calls that are driven, in the order in which a hospital makes them for one stay.

use banyan::protocol::hospital::transaction::Transaction;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    SignIn,
    Identify,
    Entitle,
    Admit,
    Upload,
    Discharge,
    Quote,
    Settle,
    /// The settlement is shown again.
    Look,
    /// The hospital's totals of a day against the gateway's.
    Totals,
    Reverse,
}

impl Step {
    pub const ALL: [Step; 11] = [
        Step::SignIn,
        Step::Identify,
        Step::Entitle,
        Step::Admit,
        Step::Upload,
        Step::Discharge,
        Step::Quote,
        Step::Settle,
        Step::Look,
        Step::Totals,
        Step::Reverse,
    ];

    pub fn infno(self) -> &'static str {
        match self {
            Step::SignIn => "9001",
            Step::Identify => "1101",
            Step::Entitle => "2001",
            Step::Admit => "2401",
            Step::Upload => "2301",
            Step::Discharge => "2402",
            Step::Quote => "2303",
            Step::Settle => "2304",
            Step::Look => "5203",
            Step::Totals => "3201",
            Step::Reverse => "2305",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Step::SignIn => "sign in",
            Step::Identify => "who is she",
            Step::Entitle => "entitlement",
            Step::Admit => "admit",
            Step::Upload => "upload",
            Step::Discharge => "discharge",
            Step::Quote => "pre-settle",
            Step::Settle => "settle",
            Step::Look => "look up",
            Step::Totals => "reconcile",
            Step::Reverse => "reverse",
        }
    }

    pub fn path(self) -> String {
        format!("/fsi/api/rsfComIfsService/callService/{}", self.infno())
    }

    /// Whether clearing counts what it does.
    pub fn is_booked(self) -> bool {
        matches!(self, Step::Settle | Step::Reverse)
    }

    /// The step that a path asks for.
    pub fn of_path(path: &str) -> Option<Step> {
        let infno = path.rsplit('/').next()?;
        Step::ALL.into_iter().find(|step| step.infno() == infno)
    }

    /// Whether this version of the gateway knows the transaction.
    pub fn is_known(self) -> bool {
        Transaction::from_infno(self.infno()).is_some()
    }
}
