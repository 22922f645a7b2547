//! Several views of one clip, which follow each other in a batch.

use burn::prelude::*;

use crate::clip::unit_length;

/// Averages the feature maps of several views of one clip, which follow each other in the batch.
///
/// At test time a task may look at a clip several times; the published model averages before any
/// projection or fusion.
///
/// # Shapes
///
/// - features: `[batch * views, frames, height, width, channels]`
/// - output: `[batch, frames, height, width, channels]`
///
/// # Panics
///
/// Panics if the rows are not whole groups of `views`.
pub fn average_views<B: Backend>(features: Tensor<B, 5>, views: usize) -> Tensor<B, 5> {
    let [rows, frames, height, width, channels] = features.dims();
    assert!(
        views > 0 && rows.is_multiple_of(views),
        "average views: {rows} clips are not whole groups of {views} views"
    );
    if views == 1 {
        return features;
    }
    features
        .reshape([rows / views, views, frames * height * width * channels])
        .mean_dim(1)
        .reshape([rows / views, frames, height, width, channels])
}

/// The direction of the mean of each clip's directions.
pub(super) fn mean_of_views<B: Backend>(directions: Tensor<B, 2>, views: usize) -> Tensor<B, 2> {
    let [rows, dim] = directions.dims();
    assert!(
        views > 0 && rows.is_multiple_of(views),
        "average views: {rows} clips are not whole groups of {views} views"
    );
    if views == 1 {
        return directions;
    }
    let mean = directions.reshape([rows / views, views, dim]).mean_dim(1);
    unit_length(mean.squeeze_dim(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TestBackend;
    use burn::tensor::TensorData;

    #[test]
    fn views_of_one_clip_are_neighbours() {
        let features =
            Tensor::<TestBackend, 1>::from_data([1.0, 3.0, 10.0, 20.0], &Default::default());

        let averaged = average_views(features.reshape([4, 1, 1, 1, 1]), 2).reshape([2]);

        averaged
            .into_data()
            .assert_eq(&TensorData::from([2.0_f32, 15.0]), true);
    }
}
