//! The heap: a list of free blocks for each power of two.
//!
//! A call frees what it allocates, its arguments and its result, so that the same few blocks go round, and each is found
//! at once. The allocator that Rust brings, which also splits blocks and joins them again, would be a tenth of the
//! component.
#![allow(unsafe_code)]

use crate::single::Single;
use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32::{memory_grow, memory_size};
use core::cell::UnsafeCell;
use core::ptr::null_mut;

#[global_allocator]
static HEAP: Heap = Heap(Single(UnsafeCell::new(State { free: [null_mut(); 32], next: 0, end: 0 })));

/// The smallest block, and how all are aligned: nothing here has to be aligned to more.
const SMALLEST: usize = 16;

/// What linear memory grows by (core specification, "page size").
const PAGE: usize = 1 << 16;

struct Heap(Single<UnsafeCell<State>>);

/// By the binary logarithm of their size, the first of the free blocks; and what has never been in use.
struct State {
    free: [*mut Free; 32],
    next: usize,
    end: usize,
}

/// A free block begins with where the next one is.
struct Free {
    next: *mut Free,
}

/// The size of the block for a layout; `None` when there can be none.
fn block(size: usize, align: usize) -> Option<usize> {
    (align <= SMALLEST).then_some(size.max(SMALLEST))?.checked_next_power_of_two()
}

impl State {
    /// Takes what was never in use, and has the memory grow for it.
    fn carve(&mut self, size: usize) -> *mut u8 {
        let left = self.end - self.next;
        if left < size {
            let before = memory_grow(0, (size - left).div_ceil(PAGE));
            if before == usize::MAX {
                return null_mut();
            }
            // Nobody else lets it grow: after the first time it goes on where it ended.
            if self.end == 0 {
                self.next = before * PAGE;
            }
            self.end = memory_size(0) * PAGE;
        }
        let start = self.next;
        self.next += size;
        start as *mut u8
    }
}

// SAFETY: a block is given out once until it is freed, has at least the size that was asked for, and is aligned to
// `SMALLEST`, as sizes and where memory begins to grow are multiples of it.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(size) = block(layout.size(), layout.align()) else {
            return null_mut();
        };
        // SAFETY: nothing below calls back into the heap.
        let state = unsafe { &mut *self.0.get() };
        let first = &mut state.free[size.trailing_zeros() as usize];
        if first.is_null() {
            return state.carve(size);
        }
        let block = *first;
        // SAFETY: it is free, so it begins with what `dealloc` wrote.
        *first = unsafe { (*block).next };
        block.cast()
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        let Some(size) = block(layout.size(), layout.align()) else {
            return;
        };
        // SAFETY: as in `alloc`; the block is the caller's to give back, and has room for this.
        unsafe {
            let first = &mut (*self.0.get()).free[size.trailing_zeros() as usize];
            let block = pointer.cast::<Free>();
            block.write(Free { next: *first });
            *first = block;
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if block(layout.size(), layout.align()) == block(size, layout.align()) {
            return pointer;
        }
        // SAFETY: the caller promises what both need; what is copied fits in both blocks.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                moved.copy_from_nonoverlapping(pointer, layout.size().min(size));
                self.dealloc(pointer, layout);
            }
            moved
        }
    }
}
