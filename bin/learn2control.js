#!/usr/bin/env node
// The command-line entry point: registers the TypeScript loader, then hands over to src/cli.
// It exists so that a clone needs no build step after `npm ci`.
import { register } from 'tsx/esm/api';

register();
const { allowFusedKernels } = await import('../src/node/fused-kernels.ts');
allowFusedKernels();
const { main } = await import('../src/cli/main.ts');
await main(process.argv.slice(2));
