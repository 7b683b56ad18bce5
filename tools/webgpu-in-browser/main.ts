// Checks the splatting on a GPU in a real browser, headless and on a software driver: the browser of the npm
// package `@sparticuz/chromium` (Linux, x64). Exits with 1 if image or gradients are off by more than 1e-4.
//
//   npx tsx tools/webgpu-in-browser/main.ts [CHROMIUM]

import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { build } from 'esbuild';
import { packedBrowser } from '../software-vulkan.ts';
import type { PageReport } from './report.ts';

const TOLERANCE = 1e-4;
const PATIENCE_MS = 300_000;
const FLAGS = [
  ...['--no-sandbox', '--headless=shell', '--remote-debugging-port=0'],
  ...['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader', '--ignore-gpu-blocklist'],
  ...['--enable-features=Vulkan', '--use-vulkan=swiftshader', '--disable-vulkan-surface'],
];

/** The page and its script, until the page posts its report. */
async function servePage(): Promise<{ server: Server; report: Promise<PageReport> }> {
  const bundle = await build({
    entryPoints: [join(import.meta.dirname, 'page.ts')],
    ...{ bundle: true, format: 'esm', write: false },
    external: ['onnxruntime-node'],
  });
  const script = bundle.outputFiles[0]!.text;
  const server = createServer();
  const report = new Promise<PageReport>((resolve) => {
    server.on('request', (request, response) => {
      if (request.method === 'POST') {
        let body = '';
        request.on('data', (part) => {
          body += part;
        });
        request.on('end', () => {
          response.end();
          resolve(JSON.parse(body));
        });
        return;
      }
      const isScript = request.url === '/page.js';
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html');
      response.end(isScript ? script : '<script type="module" src="/page.js"></script>');
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return { server, report };
}

/** Opens the page in the browser and awaits what it sends back. */
async function runPage(browser: string, folder: string): Promise<PageReport> {
  const { server, report } = await servePage();
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const program = spawn(browser, [...FLAGS, `--user-data-dir=${join(folder, 'profile')}`, address], {
    env: { ...process.env, LD_LIBRARY_PATH: `${folder}:${join(folder, 'lib')}`, FONTCONFIG_PATH: folder },
    stdio: 'ignore',
  });
  const ended = new Promise<never>((_, reject) => {
    program.on('error', reject);
    program.on('close', (status) => reject(new Error(`the browser ended with ${status}`)));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('the page did not answer')), PATIENCE_MS);
  });
  try {
    return await Promise.race([report, ended, late]);
  } finally {
    clearTimeout(timer);
    program.kill();
    await ended.catch(() => {});
    server.close();
  }
}

/** Unpacks the package's browser to `folder`; returns its program. */
function unpackBrowser(folder: string): string {
  const packed = packedBrowser();
  if (packed === null) throw new Error('the package @sparticuz/chromium is not installed; name a browser');
  const open = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packed, name)));
  for (const name of ['al2023.tar.br', 'fonts.tar.br', 'swiftshader.tar.br']) {
    spawnSync('tar', ['-x', '-C', folder], { input: open(name) });
  }
  const program = join(folder, 'chromium');
  writeFileSync(program, open('chromium.br'), { mode: 0o755 });
  return program;
}

const folder = mkdtempSync(join(tmpdir(), 'webgpu-in-browser-'));
try {
  const report = await runPage(process.argv[2] ?? unpackBrowser(folder), folder);
  console.log(JSON.stringify(report, null, 2));
  const worst = Math.max(...report.differences.flatMap((scene) => Object.values(scene)));
  if (report.error !== null || !(worst <= TOLERANCE)) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
