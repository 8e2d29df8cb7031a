// Puts the mountfs component into the app: by the Rust that the native command has too, as a component, which
// `scripts/build.mjs` transpiles.

interface Composer {
  /** Throws a `ComponentError`, whose payload is a text for a person. */
  compose(app: Uint8Array): Uint8Array;
}

/** The app with the mountfs component in it; one that was composed before is answered as it is. */
export async function compose(app: Uint8Array): Promise<Uint8Array> {
  const { compose } = (await import(new URL("composer/composer.js", import.meta.url).href)) as Composer;
  try {
    return compose(app);
  } catch (error) {
    throw new Error(String((error as { payload?: unknown }).payload ?? error));
  }
}
