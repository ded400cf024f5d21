//! Values that know their own form: tokens, digests, periods, times and texts. No decision is made here.

pub mod digest;
pub mod period;
pub mod seal;
pub mod text;
pub mod time;
pub mod token;
