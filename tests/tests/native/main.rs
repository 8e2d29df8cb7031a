//! The native host, with real folders: the component driven call by call, the command, and real interpreters.

mod cli;
mod compose;
mod cpython;
mod descriptor;
mod durability;
mod errors;
mod grants;
mod interpreters;
mod mounts;
mod paths;
mod revocation;
