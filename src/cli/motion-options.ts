// The options that say how a driver's motion becomes the portrait's; of every command that takes a driver.

import type { z } from 'zod';
import type { MotionOptions } from '../avatar/index.ts';
import { contradictoryOptions } from './arguments.ts';
import { choice, flag, real } from './option-types.ts';

type MotionSchema = {
  motion: z.ZodOptional<z.ZodEnum<{ relative: 'relative'; absolute: 'absolute' }>>;
  expressionOnly: z.ZodDefault<z.ZodBoolean>;
  poseOnly: z.ZodDefault<z.ZodBoolean>;
  intensity: z.ZodDefault<z.ZodCoercedNumber<string>>;
  retargetEyes: z.ZodDefault<z.ZodBoolean>;
  retargetLips: z.ZodDefault<z.ZodBoolean>;
};

/** Of these, `drivenParts` checks what excludes what. */
export const MOTION_OPTIONS: MotionSchema = {
  motion: choice("the driver's change from its rest, or its pose and expression as they are; else relative", [
    'relative',
    'absolute',
  ]).optional(),
  expressionOnly: flag('let the driver move the face alone; the head stays as in the portrait'),
  poseOnly: flag('let the driver move the head alone; the face stays as in the portrait'),
  intensity: real("factor on the driver's motion", { min: 0, max: 3 }).default(1),
  retargetEyes: flag("open the eyes by the share of their own range that the driver's are open"),
  retargetLips: flag("open the lips as far as the driver's; closed lips close"),
};

/** The values of `MOTION_OPTIONS`. */
export type MotionChoices = {
  readonly motion?: 'relative' | 'absolute' | undefined;
  readonly expressionOnly: boolean;
  readonly poseOnly: boolean;
  readonly intensity: number;
  readonly retargetEyes: boolean;
  readonly retargetLips: boolean;
};

/** What the driver moves. @throws BadInputError `contradictory-options`. */
export function drivenParts(choices: MotionChoices): 'both' | 'expression' | 'pose' {
  const { expressionOnly, poseOnly, retargetEyes, retargetLips } = choices;
  if (expressionOnly && poseOnly) {
    throw contradictoryOptions(
      '--expression-only and --pose-only leave nothing to move.',
      'Leave one of them out, or both to move face and head.',
    );
  }
  if (poseOnly && (retargetEyes || retargetLips)) {
    const name = retargetEyes ? '--retarget-eyes' : '--retarget-lips';
    throw contradictoryOptions(
      `${name} moves the face, and --pose-only leaves it as it is.`,
      `Leave out --pose-only or ${name}.`,
    );
  }
  return expressionOnly ? 'expression' : poseOnly ? 'pose' : 'both';
}

/** The choices as the library takes them. */
export function motionOptions(choices: MotionChoices): MotionOptions {
  const { motion, intensity, retargetEyes, retargetLips } = choices;
  const drives = drivenParts(choices);
  return { ...(motion === undefined ? {} : { motion }), drives, intensity, retargetEyes, retargetLips };
}
