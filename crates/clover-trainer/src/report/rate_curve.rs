//! The curve of a learning-rate range test, for people and for programs.

use std::fs;
use std::path::{Path, PathBuf};

use super::chart::LogarithmicCurve;
use super::write_whole;
use crate::TrainerError;
use crate::pretrain::LearningRateCurve;

impl LearningRateCurve {
    /// Writes the curve into a folder, `learning-rate.json` and `learning-rate.svg`; where they are.
    ///
    /// # Errors
    ///
    /// It cannot be drawn, or a file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<[PathBuf; 2], TrainerError> {
        fs::create_dir_all(folder).map_err(|source| TrainerError::Write {
            path: folder.to_owned(),
            source,
        })?;
        let files = ["learning-rate.json", "learning-rate.svg"].map(|name| folder.join(name));
        let [json, svg] = &files;
        let text = serde_json::to_vec_pretty(self).map_err(|source| TrainerError::Json {
            path: json.clone(),
            source,
        })?;
        write_whole(json, &text)?;
        let points = self.points.iter();
        let curve = LogarithmicCurve {
            title: match self.suggested {
                Some(rate) => {
                    format!("Smoothed loss by learning rate; it falls steepest at {rate:.1e}")
                }
                None => "Smoothed loss by learning rate; it does not fall".to_owned(),
            },
            points: points
                .map(|point| (point.learning_rate, point.smoothed))
                .collect(),
            marked: self.suggested,
        };
        write_whole(svg, curve.file()?.as_bytes())?;
        Ok(files)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pretrain::RatePoint;

    #[test]
    fn the_curve_is_written_as_figures_and_as_an_image() {
        let folder = tempfile::tempdir().unwrap();
        let point = |step: i32| RatePoint {
            learning_rate: 10_f64.powi(step - 7),
            loss: f64::from(10 - step),
            smoothed: f64::from(10 - step),
        };
        let curve = LearningRateCurve {
            suggested: Some(2e-4),
            diverged: true,
            finished: true,
            points: (0..8).map(point).collect(),
        };

        let [json, svg] = curve.write(&folder.path().join("new")).unwrap();

        let json: serde_json::Value = serde_json::from_slice(&fs::read(json).unwrap()).unwrap();
        assert_eq!(json["points"].as_array().unwrap().len(), 8);
        assert_eq!(
            (&json["suggested"], &json["diverged"]),
            (&2e-4.into(), &true.into())
        );
        let svg = fs::read_to_string(svg).unwrap();
        assert!(
            svg.contains("falls steepest at 2.0e-4") && svg.contains("1e-4"),
            "{svg}"
        );
        let lines = svg.matches("stroke-width=\"2\"").count();
        assert_eq!(lines, 2, "the curve and its mark");
    }
}
