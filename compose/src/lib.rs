//! Puts the mountfs component between an app and its host. It knows of no host, and runs on any: `mountfs-host` is built
//! on it, and so is the composer of the npm package.

use std::borrow::Cow;
use std::fmt;
use thiserror::Error;
use wac_graph::types::{ItemKind, Package, SubtypeChecker, are_semver_compatible};
use wac_graph::{CompositionGraph, EncodeOptions, NodeId, PackageId};
use wit_component::ComponentEncoder;

/// The mountfs component, as `cargo xtask build` made it.
pub const COMPONENT: &[u8] = include_bytes!("../artifact/mountfs.wasm");

/// The preopen-grants component: `mountfs:fs/grants` on the preopens of any WASI host.
pub const PREOPEN_GRANTS: &[u8] = include_bytes!("../artifact/preopen_grants.wasm");

const MOUNTS: &str = "mountfs:fs/mounts@0.1.0";

/// Who answers for grants in a composed app.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Grants {
    /// The host: `mountfs_host::add_to_linker`, or another that provides `mountfs:fs/grants`.
    #[default]
    Host,
    /// The host's preopens, so that a host needs nothing of ours: plain `wasmtime run --dir HOST::/local`.
    Preopens,
}

/// Why an app could not be composed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ComposeError {
    /// Neither a component nor a core module.
    #[error("not WebAssembly: {0}")]
    NotWasm(String),
    /// A core module that is not a WASI preview 1 command.
    #[error("a core module that cannot be made a component: {0}")]
    NotAdaptable(String),
    /// Nothing of the app would change.
    #[error("the app imports neither wasi:filesystem nor mountfs:fs/mounts: there is nothing to compose")]
    NothingToConnect,
    /// It has been composed before.
    #[error("the app already exports {MOUNTS}: it has been composed before")]
    AlreadyComposed,
    /// An import is of a version that the component does not have.
    #[error("the app imports {import}, and the mountfs component has {export}: the versions are not compatible")]
    OtherVersion {
        /// What the app imports.
        import: String,
        /// What the component exports.
        export: String,
    },
    /// An import that the component should serve has another type.
    #[error("the app's import {import} does not fit the mountfs component's {export}: {why}")]
    DoesNotFit {
        /// What the app imports.
        import: String,
        /// What the component exports.
        export: String,
        /// How they differ.
        why: String,
    },
    /// The parts fit, but not together.
    #[error("cannot compose: {0}")]
    Graph(String),
}

/// Composes an app with the mountfs component: what the app imports of `wasi:filesystem` and `mountfs:fs/mounts` comes
/// from the component; the result exports what the app exports, and `mountfs:fs/mounts` for the embedder.
///
/// The app is a component that imports any WASI 0.2 from 0.2.0 on, or a WASI preview 1 command, which is made a
/// component with wasmtime's adapter first.
///
/// # Errors
///
/// See [`ComposeError`]. An import that stays unconnected is an error, never left out in silence.
pub fn compose(app: &[u8], grants: Grants) -> Result<Vec<u8>, ComposeError> {
    let app = to_component(app)?.into_owned();
    let mut graph = CompositionGraph::new();
    let app = register(&mut graph, "app", app)?;
    let mountfs = register(&mut graph, "component", COMPONENT.to_vec())?;
    if exports(&graph, app).iter().any(|(name, _)| name == MOUNTS) {
        return Err(ComposeError::AlreadyComposed);
    }

    let mountfs_instance = graph.instantiate(mountfs);
    if grants == Grants::Preopens {
        let preopens = register(&mut graph, "preopen-grants", PREOPEN_GRANTS.to_vec())?;
        let preopens_instance = graph.instantiate(preopens);
        plug(&mut graph, (preopens, preopens_instance), (mountfs, mountfs_instance))?;
    }
    let app_instance = graph.instantiate(app);
    if plug(&mut graph, (mountfs, mountfs_instance), (app, app_instance))? == 0 {
        return Err(ComposeError::NothingToConnect);
    }

    let app_exports = exports(&graph, app).into_iter().map(|(name, _)| (app_instance, name));
    for (instance, name) in app_exports.chain([(mountfs_instance, MOUNTS.to_owned())]) {
        let export = graph.alias_instance_export(instance, &name).map_err(graph_error)?;
        graph.export(export, &name).map_err(graph_error)?;
    }
    graph.encode(EncodeOptions::default()).map_err(graph_error)
}

/// An app as a component: a WASI preview 1 command gets wasmtime's adapter, a component stays as it is.
///
/// # Errors
///
/// [`ComposeError::NotWasm`] and [`ComposeError::NotAdaptable`].
pub fn to_component(app: &[u8]) -> Result<Cow<'_, [u8]>, ComposeError> {
    // The preamble: magic, then version and layer (component model binary format).
    match app {
        [0, b'a', b's', b'm', _, _, 1, 0, ..] => Ok(Cow::Borrowed(app)),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => adapt(app).map(Cow::Owned),
        [0, b'a', b's', b'm', ..] => Err(ComposeError::NotWasm("an unknown version of the binary format".into())),
        _ => Err(ComposeError::NotWasm("it does not begin with `\\0asm`".into())),
    }
}

fn adapt(module: &[u8]) -> Result<Vec<u8>, ComposeError> {
    use wasi_preview1_component_adapter_provider as adapter;
    let (name, command) =
        (adapter::WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, adapter::WASI_SNAPSHOT_PREVIEW1_COMMAND_ADAPTER);
    let encoder = ComponentEncoder::default().module(module).and_then(|encoder| encoder.adapter(name, command));
    let component = encoder.and_then(|encoder| encoder.validate(true).encode());
    component.map_err(|error| ComposeError::NotAdaptable(format!("{error:#}")))
}

fn register(graph: &mut CompositionGraph, name: &str, bytes: Vec<u8>) -> Result<PackageId, ComposeError> {
    let package = Package::from_bytes(&format!("mountfs:{name}"), None, bytes, graph.types_mut());
    let package = package.map_err(|error| ComposeError::NotWasm(format!("{error:#}")))?;
    graph.register_package(package).map_err(graph_error)
}

fn exports(graph: &CompositionGraph, package: PackageId) -> Vec<(String, ItemKind)> {
    let exports = &graph.types()[graph[package].ty()].exports;
    exports.iter().map(|(name, kind)| (name.clone(), *kind)).collect()
}

/// Gives `to` each import that `from` exports; how many there were. One that does not fit is an error: left to the host,
/// it would go past the mounts.
fn plug(
    graph: &mut CompositionGraph,
    (from, from_instance): (PackageId, NodeId),
    (to, to_instance): (PackageId, NodeId),
) -> Result<usize, ComposeError> {
    let mut connected = 0;
    let imports = graph.types()[graph[to].ty()].imports.clone();
    for (export, offered) in exports(graph, from) {
        for (import, wanted) in imports.iter().filter(|(import, _)| interface(import) == interface(&export)) {
            if *import != export && !are_semver_compatible(&export, import) {
                return Err(ComposeError::OtherVersion { import: import.clone(), export: export.clone() });
            }
            let mut cache = Default::default();
            let check = SubtypeChecker::new(&mut cache).is_subtype(offered, graph.types(), *wanted, graph.types());
            check.map_err(|error| ComposeError::DoesNotFit {
                import: import.clone(),
                export: export.clone(),
                why: format!("{error:#}"),
            })?;
            let argument = graph.alias_instance_export(from_instance, &export).map_err(graph_error)?;
            graph.set_instantiation_argument(to_instance, import, argument).map_err(graph_error)?;
            connected += 1;
        }
    }
    Ok(connected)
}

/// Its name without the version.
fn interface(name: &str) -> &str {
    name.split_once('@').map_or(name, |(interface, _)| interface)
}

fn graph_error(error: impl fmt::Display) -> ComposeError {
    ComposeError::Graph(error.to_string())
}
