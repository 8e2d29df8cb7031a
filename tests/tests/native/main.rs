//! The native host, with real folders: the component driven call by call, the command, and real interpreters.

mod cli;
mod cli_doctor;
mod cli_mistakes;
mod cli_terminal;
mod compose;
mod costs;
mod cpython;
mod descriptor;
mod direct;
mod durability;
mod errors;
mod examples;
mod faults;
mod grants;
mod hostile;
mod interpreters;
mod killed;
mod limits;
mod memory;
mod mounts;
mod paths;
mod races;
mod revocation;
