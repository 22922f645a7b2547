//! How a run is shown while it goes: lines and a bar, or Burn's dashboard.

use std::ops::ControlFlow;

use anyhow::Result;
use clover_trainer::pretrain::PretrainingEvent;

#[cfg(feature = "dashboard")]
use crate::dashboard::Dashboard;
use crate::progress::TrainingProgress;

/// What shows a run.
pub(crate) enum Display {
    /// Lines and a bar.
    Lines(TrainingProgress),
    /// The whole terminal.
    #[cfg(feature = "dashboard")]
    Dashboard(Dashboard),
}

impl Display {
    /// Burn's dashboard, if asked for.
    pub(crate) fn new(dashboard: bool, max_steps: Option<u64>) -> Result<Self> {
        #[cfg(feature = "dashboard")]
        if dashboard {
            return Ok(Self::Dashboard(Dashboard::open()?));
        }
        #[cfg(not(feature = "dashboard"))]
        anyhow::ensure!(
            !dashboard,
            "--dashboard: this program was built without the feature `dashboard`"
        );
        Ok(Self::Lines(TrainingProgress::new(max_steps)))
    }

    /// Shows one event; whoever looks may ask the run to stop.
    pub(crate) fn show(&mut self, event: &PretrainingEvent<'_>) -> ControlFlow<()> {
        match self {
            Self::Lines(progress) => {
                progress.show(event);
                ControlFlow::Continue(())
            }
            #[cfg(feature = "dashboard")]
            Self::Dashboard(dashboard) => dashboard.show(event),
        }
    }

    /// Gives the terminal back.
    pub(crate) fn finish(self) {
        match self {
            Self::Lines(progress) => progress.finish(),
            #[cfg(feature = "dashboard")]
            Self::Dashboard(dashboard) => dashboard.close(),
        }
    }
}
