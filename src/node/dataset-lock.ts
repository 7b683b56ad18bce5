// One writer to a dataset's folder: a file with the process's number, which a run that was killed leaves behind and
// the next one takes over.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { BadInputError } from '../errors/index.ts';
import { diskError } from './temporary-files.ts';

const LOCK_FILE = '.writing';

type Owner = { readonly pid: number; readonly host: string; readonly since: string };

/** A lock that is held; it goes with the process at the latest. */
export type DatasetLock = { release(): void };

const held = new Set<string>();

/** Takes the lock of a folder. @throws BadInputError `dataset-in-use` while another run writes to it. */
export function lockDataset(folder: string): DatasetLock {
  const path = join(folder, LOCK_FILE);
  const owner: Owner = { pid: process.pid, host: hostname(), since: new Date().toISOString() };
  for (;;) {
    try {
      writeFileSync(path, JSON.stringify(owner), { flag: 'wx' });
      break;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw diskError(path, cause);
    }
    const other = readOwner(path);
    if (other !== null && isAlive(path, other)) throw inUse(folder, path, other);
    takeAway(folder, path);
  }
  held.add(path);
  const release = (): void => {
    process.off('exit', release);
    if (held.delete(path)) rmSync(path, { force: true });
  };
  // An interrupt ends the process without unwinding.
  process.on('exit', release);
  return { release };
}

function readOwner(path: string): Owner | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Owner;
  } catch {
    // Gone meanwhile, or cut short when its process was killed.
    return null;
  }
}

function isAlive(path: string, { pid, host }: Owner): boolean {
  // Nobody here can ask another machine.
  if (host !== hostname()) return true;
  // A container gives its processes the same numbers each time.
  if (pid === process.pid) return held.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Removes a lock that nobody holds; by renaming it, so that of two who try only one succeeds. */
function takeAway(folder: string, path: string): void {
  const aside = join(folder, `${LOCK_FILE}.${process.pid}.tmp`);
  try {
    renameSync(path, aside);
  } catch (cause) {
    // Another run was quicker: the next look finds its lock.
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw diskError(path, cause);
  }
  const other = readOwner(aside);
  // Another run took the lock between our look and the renaming: it is theirs.
  if (other !== null && isAlive(path, other)) {
    renameSync(aside, path);
    throw inUse(folder, path, other);
  }
  rmSync(aside, { force: true });
}

function inUse(folder: string, path: string, { pid, host, since }: Owner): BadInputError {
  return new BadInputError({
    code: 'dataset-in-use',
    message: `Expected to write to ${folder} alone, but process ${pid} on ${host} has written to it since ${since}.`,
    hint: `Wait for it or stop it; if it is gone for sure, remove ${path}.`,
  });
}
