//! The host functions: conversion, and who is allowed what.

mod filesystem;
pub(crate) mod grants;
