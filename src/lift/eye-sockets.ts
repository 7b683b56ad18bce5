// The skin about the eyes: lids, brows, and what lies below.

import { type HeadModel, vertexCount } from '../head/index.ts';

/** Vertices of the skin about an eye whose lids an expression closes. */
export type EyeSocket = {
  /** What comes down as the eye closes. */
  readonly lid: Uint32Array;
  /** Lid and brow. */
  readonly above: Uint32Array;
  readonly below: Uint32Array;
};

/** Skin that a closing eye carries down so far, metres, is lid. */
const LID_MOTION_METRES = 0.001;
/** Extents about the eyeball's centre, metres: half the width, bottom and top. */
const ABOVE = { halfWidth: 0.026, bottom: 0, top: 0.03 } as const;
const BELOW = { halfWidth: 0.014, bottom: -0.024, top: -0.011 } as const;

/** The sockets of a head; none where no expression closes its eyes. */
export function eyeSockets(head: HeadModel, vertexClasses: Uint8Array, isUsed: Uint8Array): EyeSocket[] {
  const { template, expressionBasis } = head;
  const count = vertexCount(head);
  const skin = Array.from({ length: count }, (_, v) => v).filter((v) => isUsed[v] && vertexClasses[v] === 0);
  return head.eyelidExpressions.map((unit) => {
    const lid = skin.filter((v) => expressionBasis[unit * 3 * count + 3 * v + 1]! < -LID_MOTION_METRES);
    const side = Math.sign(lid.reduce((sum, v) => sum + template[3 * v]!, 0));
    const eyeball = Array.from(vertexClasses.keys()).filter(
      (v) => vertexClasses[v] === 1 && template[3 * v]! * side > 0,
    );
    const centre = [0, 1, 2].map(
      (k) => eyeball.reduce((sum, v) => sum + template[3 * v + k]!, 0) / Math.max(1, eyeball.length),
    );
    const within = ({ halfWidth, bottom, top }: typeof ABOVE | typeof BELOW): Uint32Array =>
      Uint32Array.from(
        skin.filter((v) => {
          const offset = (axis: 0 | 1 | 2): number => template[3 * v + axis]! - centre[axis]!;
          const height = offset(1);
          return Math.abs(offset(0)) < halfWidth && height > bottom && height < top && offset(2) > 0;
        }),
      );
    return { lid: Uint32Array.from(lid), above: within(ABOVE), below: within(BELOW) };
  });
}
