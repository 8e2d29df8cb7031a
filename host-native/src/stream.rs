//! Streams that end with the grant they came from, and note what is written through them.

use crate::dirty::Written;
use crate::grant::{Grant, Refused};
use crate::origins::Writer;
use bytes::Bytes;
use std::sync::Arc;
use wasmtime_wasi::async_trait;
use wasmtime_wasi::p2::{
    DynInputStream, DynOutputStream, InputStream, OutputStream, Pollable, StreamError, StreamResult,
};

impl From<Refused> for StreamError {
    fn from(refused: Refused) -> Self {
        Self::LastOperationFailed(refused.into())
    }
}

pub(crate) struct GrantedInput {
    pub(crate) stream: DynInputStream,
    pub(crate) grant: Arc<Grant>,
    /// Counts it among what is open.
    pub(crate) _counted: Arc<()>,
}

#[async_trait]
impl Pollable for GrantedInput {
    async fn ready(&mut self) {
        // Once it has ended, the next read says so without waiting.
        if self.grant.check().is_ok() {
            self.stream.ready().await;
        }
    }
}

#[async_trait]
impl InputStream for GrantedInput {
    fn read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.grant.check()?;
        self.stream.read(size)
    }

    async fn blocking_read(&mut self, size: usize) -> StreamResult<Bytes> {
        self.grant.check()?;
        let bytes = self.stream.blocking_read(size).await?;
        // It may have ended while the read waited. The store was asked for this call already.
        self.grant.check_here()?;
        Ok(bytes)
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}

pub(crate) struct GrantedOutput {
    pub(crate) stream: DynOutputStream,
    pub(crate) writer: Arc<Writer>,
    pub(crate) written: Arc<Written>,
    /// Whether a write has been taken that nobody waited for yet.
    pub(crate) on_its_way: bool,
    /// Counts it among what is open.
    pub(crate) _counted: Arc<()>,
}

impl GrantedOutput {
    /// Before bytes are on their way, so that a sync cannot miss them.
    fn will_write(&self) -> StreamResult<()> {
        self.writer.grant.check()?;
        self.writer.grant.dirty.touch(&self.written);
        Ok(())
    }

    /// After they were taken, since an early sync may have been in between.
    fn wrote(&self, bytes: usize) {
        self.writer.grant.dirty.wrote(&self.written, bytes as u64);
    }
}

#[async_trait]
impl Pollable for GrantedOutput {
    async fn ready(&mut self) {
        self.stream.ready().await;
        if std::mem::take(&mut self.on_its_way) {
            self.wrote(0);
        }
    }
}

#[async_trait]
impl OutputStream for GrantedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.will_write()?;
        let length = bytes.len();
        self.stream.write(bytes)?;
        self.wrote(length);
        self.on_its_way = true;
        Ok(())
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.will_write()?;
        let length = bytes.len();
        self.stream.blocking_write_and_flush(bytes).await?;
        self.wrote(length);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.writer.grant.check()?;
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.writer.grant.check()?;
        self.stream.check_write()
    }

    async fn cancel(&mut self) {
        self.stream.cancel().await;
    }
}
