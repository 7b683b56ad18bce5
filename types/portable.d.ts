// What every JavaScript host gives that TypeScript's ES library does not declare.
// Portable folders compile against this alone: neither Node's types nor the DOM's.

declare class TextEncoder {
  encode(text: string): Uint8Array<ArrayBuffer>;
}

declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean });
  decode(bytes: ArrayBufferView | ArrayBuffer): string;
}

declare const performance: { now(): number };

declare function atob(base64: string): string;

declare class AbortSignal {
  readonly aborted: boolean;
  throwIfAborted(): void;
}
