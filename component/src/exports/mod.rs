//! The world's exports, on the table, the walk and the host: each file converts and delegates.

mod descriptor;
mod directory;
mod mounts;
mod opened;
mod preopens;
