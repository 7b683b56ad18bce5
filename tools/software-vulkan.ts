// Vulkan without a GPU: SwiftShader, from the npm package `@sparticuz/chromium`, loaded into this process, so
// that tests and benchmarks of WebGPU run on any Linux machine with the x64 processor, CI's too.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';

const LOADER = 'libvulkan.so.1';
const DRIVER = 'vk_swiftshader_icd.json';
const RTLD_NODELETE = 0x1000; // keeps a library that Node refuses as a module; from glibc's dlfcn.h
const TAR_BLOCK = 512;

/**
 * Dawn's options for it: it takes seconds to compile a kernel whose shared memory Vulkan zeroes, and a
 * hundredth of that if the kernel does so itself. Times to the nanosecond instead of a tenth of a millisecond.
 */
export const SOFTWARE_VULKAN_OPTIONS: readonly string[] = [
  'disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension,timestamp_quantization',
];

/**
 * Loads the software driver, after which WebGPU in this process finds it and no other driver.
 * @returns null, or why there is none
 */
export function loadSoftwareVulkan(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `the software driver is for Linux on x64, this is ${process.platform} on ${process.arch}`;
  }
  const packed = packedBrowser();
  if (packed === null) return 'the package @sparticuz/chromium is not installed';
  const folder = unpackOnce(packed);
  process.env.VK_ICD_FILENAMES = join(folder, DRIVER);
  try {
    // The library stays under its name, which is how Dawn then finds it; no search path can be set from inside.
    process.dlopen({ exports: {} }, join(folder, LOADER), constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    if (!String(error).includes('did not self-register')) return `the Vulkan loader does not load: ${error}`;
  }
  return null;
}

/** The folder of the browser's packed files, or null where the package is not installed. */
export function packedBrowser(): string | null {
  let folder: string;
  try {
    folder = dirname(createRequire(import.meta.url).resolve('@sparticuz/chromium'));
  } catch {
    return null;
  }
  while (!existsSync(join(folder, 'bin', 'swiftshader.tar.br'))) {
    if (dirname(folder) === folder) return null;
    folder = dirname(folder);
  }
  return join(folder, 'bin');
}

/** Unpacks to a folder of its own beside the packages, whole or not at all, since tests run side by side. */
function unpackOnce(packed: string): string {
  const target = join(packed, '..', '..', '..', '.cache', 'swiftshader');
  if (existsSync(join(target, DRIVER))) return target;
  const files = filesOfTar(brotliDecompressSync(readFileSync(join(packed, 'swiftshader.tar.br'))));
  let scratch: string;
  try {
    mkdirSync(dirname(target), { recursive: true });
    scratch = mkdtempSync(`${target}-`);
  } catch {
    scratch = mkdtempSync(join(tmpdir(), 'swiftshader-'));
  }
  for (const [name, bytes] of files) writeFileSync(join(scratch, name), bytes, { mode: 0o755 });
  try {
    renameSync(scratch, target);
    return target;
  } catch {
    if (!existsSync(join(target, DRIVER))) return scratch;
    rmSync(scratch, { recursive: true });
    return target;
  }
}

/** The plain files of a tar archive that lie in no folder. */
function filesOfTar(tar: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>();
  for (let at = 0; at + TAR_BLOCK <= tar.length && tar[at] !== 0; ) {
    const text = (start: number, length: number): string =>
      tar.toString('latin1', at + start, at + start + length).replace(/\0.*$/s, '');
    const name = text(0, 100).replace(/^\.\//, '');
    const size = Number.parseInt(text(124, 12), 8);
    const content = at + TAR_BLOCK;
    if (!name.includes('/') && (text(156, 1) === '0' || text(156, 1) === '')) {
      files.set(name, tar.subarray(content, content + size));
    }
    at = content + Math.ceil(size / TAR_BLOCK) * TAR_BLOCK;
  }
  return files;
}
