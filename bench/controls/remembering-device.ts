// A device that remembers latents: arms under one seed see the same pictures, and the encoder is the same for all.

import { createHash } from 'node:crypto';
import type { AnyTensor, Device, Session } from '../../src/tensor/index.ts';

/** A device with one thread for each session; `forget` drops the latents, `close` the sessions too. */
export type RememberingDevice = Device & { forget(): void; close(): Promise<void> };

/** Sessions from `picture` to `latent` run once for each picture, whatever session is asked. */
export function rememberingDevice(device: Device): RememberingDevice {
  const latents = new Map<string, AnyTensor>();
  const sessions: Session[] = [];
  return {
    ...device,
    async createSession(model, options) {
      const session = await device.createSession(model, { ...options, threads: 1 });
      sessions.push(session);
      const isEncoder = session.inputNames.join() === 'picture' && session.outputNames.join() === 'latent';
      return isEncoder ? remembering(session, latents) : session;
    },
    forget: () => latents.clear(),
    async close() {
      for (const session of sessions.splice(0)) await session[Symbol.asyncDispose]();
    },
  };
}

function remembering(session: Session, latents: Map<string, AnyTensor>): Session {
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    async run(feeds) {
      const key = createHash('sha1').update(feeds.picture!.data).digest('base64');
      const latent = latents.get(key) ?? (await session.run(feeds)).latent!;
      latents.set(key, latent);
      return { latent };
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}
