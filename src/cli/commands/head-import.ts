// `head import FILE... --out H.head`: FLAME's files, which a user has, as a head for all commands.

import { z } from 'zod';
import { type CliCommand, defineCommand } from '../command.ts';
import { inputFiles, integer, outputFile, text } from '../option-types.ts';

export const command: CliCommand = defineCommand({
  summary: "make a head of FLAME's files: the model, landmark embeddings, template, eyelids",
  positionals: ['files'],
  options: z.object({
    files: inputFiles('the model (.pkl, .npz) and what belongs to it (.npz, .npy, .pkl, .obj)'),
    out: outputFile('the head to write', '.head'),
    name: text("what tracks and weights shall call the head; else the output's name").optional(),
    licence: text('the licence of the files, to be carried in the head').optional(),
    identities: integer('how many identity components to keep; else all', { min: 1 }).optional(),
    expressions: integer('how many expression components to keep; else all', { min: 1 }).optional(),
  }),
  examples: [
    'head import flame2023.pkl mediapipe_landmark_embedding.npz head_template.obj --out flame.head',
    'head import generic_model.pkl landmark_embedding.npy l_eyelid.npy r_eyelid.npy --out flame.head --expressions 50',
  ],
  async run(options, context) {
    const { runHeadImport } = await import('../head-files.ts');
    return runHeadImport(options, context);
  },
});
