declare module "*.py" {
  /** Its text. */
  const source: string;
  export default source;
}
