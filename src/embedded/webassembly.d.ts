/** As much of the WebAssembly API as the embedded store uses: it is declared for browsers only, and we are not one. */
declare namespace WebAssembly {
  interface Memory {
    readonly buffer: ArrayBuffer;
  }
  type ModuleImports = Record<string, unknown>;
  class Tag {
    constructor(type: { parameters: string[] });
  }
  function instantiate(
    bytes: Uint8Array,
    imports: Record<string, ModuleImports>,
  ): Promise<{ instance: { exports: object } }>;
}
