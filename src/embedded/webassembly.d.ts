/** The part of the WebAssembly API that the embedded store uses. TypeScript declares it in its browser library only. */
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
