//! The steps that are measured.

/// A step to measure.
#[derive(Debug, Clone, Copy)]
pub(super) struct StepCase {
    pub(super) preset: &'static str,
    pub(super) precision: &'static str,
    pub(super) batch: usize,
    pub(super) micro_batch: usize,
    pub(super) frames: usize,
    pub(super) size: usize,
    pub(super) repetitions: usize,
    /// Whether PyTorch measures the same.
    pub(super) beside_pytorch: bool,
}

const fn step(
    preset: &'static str,
    precision: &'static str,
    batch: usize,
    size: usize,
) -> StepCase {
    StepCase {
        preset,
        precision,
        batch,
        micro_batch: batch,
        frames: 8,
        size,
        repetitions: 10,
        beside_pytorch: true,
    }
}

pub(super) const GPU_CASES: [StepCase; 5] = [
    step("small", "f32", 32, 224),
    step("small", "bf16", 32, 224),
    step("base", "f32", 16, 224),
    step("base", "bf16", 16, 224),
    // The paper's batch, exact on one device.
    StepCase {
        micro_batch: 32,
        repetitions: 1,
        beside_pytorch: false,
        ..step("base", "bf16", 1024, 224)
    },
];

pub(super) const REHEARSAL_CASES: [StepCase; 2] = [
    StepCase {
        repetitions: 3,
        frames: 4,
        ..step("tiny", "f32", 4, 28)
    },
    StepCase {
        micro_batch: 4,
        repetitions: 2,
        beside_pytorch: false,
        frames: 4,
        ..step("nano", "f32", 16, 28)
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_has_whole_parts_and_the_papers_batch_is_among_them() {
        let cases = GPU_CASES.iter().chain(&REHEARSAL_CASES);

        for case in cases {
            assert!(case.batch.is_multiple_of(case.micro_batch), "{case:?}");
        }
        assert!(GPU_CASES.iter().any(|case| case.batch == 1024));
    }
}
