//! A static of a component, which has one thread.
#![allow(unsafe_code)]

use core::ops::Deref;

/// What would be shared, were there another thread.
pub(crate) struct Single<T>(pub(crate) T);

// SAFETY: a component has one thread.
unsafe impl<T> Sync for Single<T> {}

impl<T> Deref for Single<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
