// The assembled avatar: a portrait and the motion of a head in, pictures of the person out.

export * from './avatar-file.ts';
export * from './avatar-renderer.ts';
export * from './finished-renderer.ts';
export * from './framing.ts';
export * from './model-renderer.ts';
export * from './motion.ts';
export * from './preview-renderer.ts';
export * from './reenact.ts';
