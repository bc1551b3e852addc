//! Owns the calls of a stay that are driven, in the order in which a hospital makes them.

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    Admit,
    Upload,
    Discharge,
    Quote,
    Settle,
}

impl Step {
    pub const ALL: [Step; 5] = [Step::Admit, Step::Upload, Step::Discharge, Step::Quote, Step::Settle];

    pub fn infno(self) -> &'static str {
        match self {
            Step::Admit => "2401",
            Step::Upload => "2301",
            Step::Discharge => "2402",
            Step::Quote => "2303",
            Step::Settle => "2304",
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Step::Admit => "admit",
            Step::Upload => "upload",
            Step::Discharge => "discharge",
            Step::Quote => "pre-settle",
            Step::Settle => "settle",
        }
    }

    pub fn path(self) -> &'static str {
        match self {
            Step::Admit => "/fsi/api/rsfComIfsService/callService/2401",
            Step::Upload => "/fsi/api/rsfComIfsService/callService/2301",
            Step::Discharge => "/fsi/api/rsfComIfsService/callService/2402",
            Step::Quote => "/fsi/api/rsfComIfsService/callService/2303",
            Step::Settle => "/fsi/api/rsfComIfsService/callService/2304",
        }
    }

    /// The step that a path asks for.
    pub fn of_path(path: &str) -> Option<Step> {
        let infno = path.rsplit('/').next()?;
        Step::ALL.into_iter().find(|step| step.infno() == infno)
    }
}
