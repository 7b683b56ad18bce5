// How the text opcodes of old pickle protocols write their characters.

import type { Reject } from './numpy-array.ts';

/** Bytes as text, one character each: what `encoding='latin1'` does in Python. */
export function latin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}

/** Python's `repr` of a byte string: `'a\x00b'`. */
export function unquote(line: string, reject: Reject): string {
  const match = /^(['"])(.*)\1$/s.exec(line.trim());
  if (match === null) throw reject('a text has no end');
  const names: Readonly<Record<string, string>> = {
    n: '\n',
    r: '\r',
    t: '\t',
    a: '\x07',
    b: '\b',
    f: '\f',
    v: '\v',
  };
  return match[2]!.replace(/\\(x[0-9a-fA-F]{2}|[0-7]{1,3}|.)/gs, (_, code: string) => {
    if (/^x../.test(code)) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (/^[0-7]/.test(code)) return String.fromCharCode(Number.parseInt(code, 8));
    return names[code] ?? code;
  });
}

/** Python's raw-unicode-escape. */
export function unescapeUnicode(line: string): string {
  return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short?: string, long?: string) =>
    String.fromCodePoint(Number.parseInt((short ?? long)!, 16)),
  );
}
