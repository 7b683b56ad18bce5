// Where the bytes of a large file come from, piece by piece: a file in Node, a Blob in the browser, memory in tests.

/** A file that is read in pieces. */
export type ByteSource = {
  /** What to call the file in errors. */
  readonly name: string;
  /** Bytes in all. */
  readonly size: number;
  /** Bytes from `start` on; the caller stays within `size`. */
  read(start: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
};

/** Bytes that are in memory already. */
export function memorySource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    size: bytes.length,
    read: async (start, length) => Uint8Array.from(bytes.subarray(start, start + length)),
  };
}
