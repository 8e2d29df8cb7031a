//! Streams that end with the grant they came from, and note what is written through them.

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
    /// Whether a write has been taken that nobody waited for yet.
    pub(crate) on_its_way: bool,
    /// How that ended, for the guest's next call.
    pub(crate) error: Option<wasmtime::Error>,
    /// Counts it among what is open.
    pub(crate) _counted: Arc<()>,
}

impl GrantedOutput {
    /// Before bytes are on their way, so that a sync cannot miss them.
    fn will_write(&self) -> StreamResult<()> {
        self.writer.grant.check()?;
        self.writer.grant.dirty.touch(&self.writer.written);
        Ok(())
    }

    /// After they were taken, since an early sync may have been in between.
    fn wrote(&self, bytes: usize) {
        self.writer.grant.dirty.wrote(&self.writer.written, bytes as u64);
    }

    /// Waits for what is on its way, and takes the error, which the stream has only once: it may be that nobody asks.
    async fn land(&mut self) {
        self.stream.ready().await;
        if std::mem::take(&mut self.on_its_way) {
            self.wrote(0);
            if let Err(StreamError::LastOperationFailed(error)) = self.stream.flush() {
                self.writer.set_unheard(Some(error.to_string()));
                self.error = Some(error);
            }
        }
    }

    /// Tells the guest of the last write.
    fn tell(&mut self) -> StreamResult<()> {
        let Some(error) = self.error.take() else { return Ok(()) };
        self.writer.set_unheard(None);
        Err(StreamError::LastOperationFailed(error))
    }
}

#[async_trait]
impl Pollable for GrantedOutput {
    async fn ready(&mut self) {
        self.land().await;
    }
}

#[async_trait]
impl OutputStream for GrantedOutput {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.will_write()?;
        self.tell()?;
        let length = bytes.len();
        self.stream.write(bytes)?;
        self.wrote(length);
        self.on_its_way = true;
        Ok(())
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.will_write()?;
        if self.on_its_way {
            self.land().await;
            // It may have ended meanwhile. The store was asked for this call already.
            self.writer.grant.check_here()?;
        }
        self.tell()?;
        let length = bytes.len();
        self.stream.blocking_write_and_flush(bytes).await?;
        self.wrote(length);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        self.writer.grant.check()?;
        self.tell()?;
        self.stream.flush()
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        self.writer.grant.check()?;
        self.tell()?;
        self.stream.check_write()
    }

    /// When it is dropped. What is on its way still lands, since it was taken.
    async fn cancel(&mut self) {
        self.land().await;
        self.writer.report();
        self.stream.cancel().await;
    }
}
