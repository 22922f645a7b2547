//! Burn's terminal dashboard, fed with the events of a run.
//!
//! Burn draws it for its own learner; its renderer takes metrics from anywhere. Lines about skipped
//! items and refused checkpoints are kept until the terminal is given back.

use std::io::{self, IsTerminal};
use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Result, ensure};
use burn::data::dataloader::Progress;
use burn_train::Interrupter;
use burn_train::metric::{
    MetricAttributes, MetricDefinition, MetricEntry, MetricId, NumericAttributes, NumericEntry,
    SerializedEntry,
};
use burn_train::renderer::tui::TuiMetricsRendererWrapper;
use burn_train::renderer::{
    MetricState, MetricsRenderer, MetricsRendererTraining, TrainingProgress,
};
use clover_trainer::pretrain::{PretrainingEvent, StepMetrics};

use crate::output::print_line;

/// The dashboard of a run.
pub(crate) struct Dashboard {
    renderer: TuiMetricsRendererWrapper,
    /// Whether the user chose to stop.
    stop: Interrupter,
    registered: bool,
    total_steps: u64,
    lines: Vec<String>,
}

impl Dashboard {
    /// Takes the terminal, if there is one.
    pub(crate) fn open() -> Result<Self> {
        ensure!(
            io::stdout().is_terminal(),
            "--dashboard: the output is not a terminal"
        );
        let stop = Interrupter::new();
        Ok(Self {
            renderer: TuiMetricsRendererWrapper::new(stop.clone(), None),
            stop,
            registered: false,
            total_steps: 0,
            lines: Vec::new(),
        })
    }

    /// Shows one event.
    pub(crate) fn show(&mut self, event: &PretrainingEvent<'_>) -> ControlFlow<()> {
        match event {
            PretrainingEvent::Started { total_steps, .. } => self.total_steps = *total_steps,
            PretrainingEvent::Planned { steps, .. } => self.total_steps = *steps,
            PretrainingEvent::Damage { what } => self.lines.push(what.clone()),
            PretrainingEvent::Skipped(item) => self.lines.push(format!("skipped {item}")),
            PretrainingEvent::Step(metrics) => self.step(metrics),
            _ => {}
        }
        if self.stop.should_stop() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    /// Gives the terminal back and prints what was kept.
    pub(crate) fn close(self) {
        drop(self.renderer);
        self.lines.iter().for_each(|line| print_line(line));
    }

    fn step(&mut self, metrics: &StepMetrics) {
        let scalars = metrics.scalars();
        if !self.registered {
            for (name, _) in scalars {
                self.renderer.register_metric(definition(name));
            }
            self.registered = true;
        }
        for (name, value) in scalars {
            let shown = SerializedEntry::new(format!("{value:.4}"), value.to_string());
            let entry = MetricEntry::new(id(name), shown);
            let state = MetricState::Numeric(entry, NumericEntry::Value(value));
            self.renderer.update_train(state);
        }
        let step = usize::try_from(metrics.step).unwrap_or(usize::MAX);
        let total = usize::try_from(self.total_steps).unwrap_or(usize::MAX);
        self.renderer.render_train(
            TrainingProgress {
                progress: None,
                global_progress: Progress::new(step, total),
                iteration: Some(step),
            },
            Vec::new(),
        );
    }
}

fn id(name: &str) -> MetricId {
    MetricId::new(Arc::new(name.to_owned()))
}

fn definition(name: &str) -> MetricDefinition {
    MetricDefinition {
        metric_id: id(name),
        name: name.to_owned(),
        description: None,
        attributes: MetricAttributes::Numeric(NumericAttributes {
            unit: None,
            higher_is_better: name.starts_with("speed/"),
        }),
    }
}
