//! Tensor operations compiled here, once, instead of in each test program.
//!
//! The reference backend and Burn's gradients are generic code, which Rust compiles where it is
//! used: here, in every test program again. What a library below has compiled already is taken from
//! there. The list holds the operations that three test programs or more use; one that is missing
//! costs time, nothing else.

use crate::{TestAutodiffBackend, TestBackend};
use burn::tensor::backend::Backend;
use burn::tensor::ops::{ActivationOps, BoolTensorOps, FloatTensorOps, IntTensorOps};

macro_rules! operations {
    ($($operations:ident: $($name:ident)+;)+) => {
        fn of<B: Backend>() -> Vec<*const ()> {
            vec![$($(<B as $operations<B>>::$name as *const ()),+),+]
        }
    };
}

operations! {
    ActivationOps:
        relu;
    BoolTensorOps:
        bool_device bool_into_float bool_not;
    FloatTensorOps:
        float_abs float_add float_add_scalar float_argmax float_cast float_cat float_clamp
        float_clamp_min float_detach float_device float_div float_div_scalar float_empty
        float_erf float_exp float_expand float_flip float_from_data float_gather
        float_greater_elem float_log float_lower float_lower_elem float_mask_fill
        float_mask_where float_matmul float_max float_max_dim float_mean float_mean_dim
        float_min float_mul float_mul_scalar float_neg float_ones float_permute float_powf
        float_random float_recip float_reshape float_scatter_add float_select
        float_select_add float_set_require_grad float_sign float_slice float_slice_assign
        float_sqrt float_sub float_sub_scalar float_sum float_sum_dim float_swap_dims
        float_zeros;
    IntTensorOps:
        bitwise_and_scalar bitwise_right_shift_scalar bitwise_xor int_add int_arange
        int_device int_equal_elem int_expand int_from_data int_greater_equal_elem
        int_into_float int_mul_scalar int_ones int_reshape int_scatter_add int_zeros;
}

/// The places in memory of the listed operations, so that they are compiled.
pub fn operations() -> Vec<*const ()> {
    [of::<TestBackend>(), of::<TestAutodiffBackend>()].concat()
}
