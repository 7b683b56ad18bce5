// Members of a tar archive, written plainly and read strictly: the same members always give the same bytes, and
// what was written otherwise is not taken. Our own, since it needs no more than two records of 512 bytes.
// Source: POSIX.1-1988, "ustar interchange format".

/** Everything in a tar lies in records of this many bytes. */
export const TAR_RECORD = 512;
/** Longer names would need the prefix field. */
export const MAX_TAR_NAME = 100;
/** Two empty records end an archive. */
export const TAR_END: Uint8Array = new Uint8Array(2 * TAR_RECORD);

/** What a member's header says. */
export type TarMember = { readonly name: string; readonly bytes: number };

/** Bytes that a member's content takes, its padding included. */
export function paddedLength(bytes: number): number {
  return Math.ceil(bytes / TAR_RECORD) * TAR_RECORD;
}

/** The header of a member; names are ASCII of at most `MAX_TAR_NAME` characters. */
export function tarHeader({ name, bytes }: TarMember): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(TAR_RECORD);
  const put = (text: string, at: number): void => header.set(new TextEncoder().encode(text), at);
  const octal = (value: number, digits: number): string => `${value.toString(8).padStart(digits, '0')}\0`;
  put(name, 0);
  put(octal(0o644, 7), 100);
  put(octal(0, 7), 108);
  put(octal(0, 7), 116);
  put(octal(bytes, 11), 124);
  // No time: equal content is equal bytes.
  put(octal(0, 11), 136);
  put('        0', 148);
  put('ustar\0' + '00', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  put(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** Reads a header that `tarHeader` could have written; null for anything else. */
export function parseTarHeader(record: Uint8Array): TarMember | null {
  const end = record.indexOf(0);
  const name = new TextDecoder().decode(
    record.subarray(0, end < 0 ? MAX_TAR_NAME : Math.min(end, MAX_TAR_NAME)),
  );
  const bytes = Number.parseInt(new TextDecoder().decode(record.subarray(124, 135)), 8);
  if (!Number.isSafeInteger(bytes)) return null;
  const expected = tarHeader({ name, bytes });
  return expected.every((byte, i) => byte === record[i]) ? { name, bytes } : null;
}

/** Whether bytes are all zero: padding, or the end of an archive. */
export function isEmptyRecord(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0);
}
