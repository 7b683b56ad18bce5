// A network that learns to tell decoded windows from true ones while the model learns to pass for true. Where the
// lift invents, many pictures would be right: distances to the one true picture favour their blurred mean, a
// critic favours one of them. Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial
// Networks", 2017 (judging patches); Lim and Ye, "Geometric GAN", 2017 (hinge); Wang et al., pix2pixHD, 2018
// (distance of the critic's own features).

import type { Scope } from '../nn/index.ts';
import { convLayer } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import {
  abs,
  add,
  concat,
  leakyRelu,
  mean,
  mul,
  relu,
  slice,
  spaceToDepth,
  stopGradient,
  sub,
} from '../tensor/index.ts';

/** Windows of pictures, `B 3 S S` in [-1, 1], and how far the lift sees them, `B 1 S S`; S a multiple of 8. */
export type JudgedWindows = { readonly decoded: Value; readonly target: Value; readonly visibility: Value };

/** What a critic adds to a loss: scalars. */
export type CriticLosses = {
  /** Minus the mean judgement of the decoded windows; reaches the model alone. */
  readonly adversarial: Value;
  /** Mean absolute difference of the critic's features, decoded against true; reaches the model alone. */
  readonly features: Value;
  /** How badly the critic tells the two apart, 0 where it always does by a margin; reaches the critic alone. */
  readonly critic: Value;
};

/** The critic's parameters lie in a scope of this name: they learn with the model and are not shipped. */
export const CRITIC_SCOPE = 'critic';

const WIDTHS = [48, 96, 128];
const SLOPE = 0.2;

/** The terms of one critic, whose parameters are made at `scope`. */
export function criticLosses(scope: Scope, { decoded, target, visibility }: JudgedWindows): CriticLosses {
  const seenBy = (judge: Scope, picture: Value): Judgement => judged(judge, picture, visibility);
  const still = withStillParameters(scope);
  const asModel = seenBy(still, decoded);
  const truth = seenBy(still, target);
  const distances = asModel.features.map((feature, i) =>
    mean(abs(sub(feature, stopGradient(truth.features[i]!)))),
  );
  // Both kinds in one batch, so that the critic runs once.
  const both = judged(scope, concat([stopGradient(decoded), target], 0), concat([visibility, visibility], 0));
  const batch = decoded.shape[0]!;
  const part = (start: number): Value => slice(both.logits, { axis: 0, start, end: start + batch });
  const hinge = (margin: Value): Value => mean(relu(margin));
  return {
    adversarial: mul(mean(asModel.logits), -1),
    features: mul(
      distances.reduce((sum, one) => add(sum, one)),
      1 / distances.length,
    ),
    critic: add(hinge(add(part(0), 1)), hinge(sub(1, part(batch)))),
  };
}

type Judgement = { readonly features: readonly Value[]; readonly logits: Value };

/** One logit for each 8 x 8 pixels, each of which sees about 60 pixels around. */
function judged(scope: Scope, picture: Value, visibility: Value): Judgement {
  const features: Value[] = [];
  let h = spaceToDepth(concat([picture, visibility], 1), 2);
  for (const [level, channels] of WIDTHS.entries()) {
    const stride = level === 0 ? 1 : 2;
    h = leakyRelu(convLayer(scope.at('convs').at(level), h, { channels, stride }), SLOPE);
    features.push(h);
  }
  const channels = WIDTHS.at(-1)!;
  h = leakyRelu(convLayer(scope.at('conv_mid'), h, { channels }), SLOPE);
  return { features: [...features, h], logits: convLayer(scope.at('conv_out'), h, { channels: 1 }) };
}

/** The same places and parameters, of which no gradient arrives. */
function withStillParameters(scope: Scope): Scope {
  return {
    path: scope.path,
    at: (name) => withStillParameters(scope.at(name)),
    parameter: (...definition) => stopGradient(scope.parameter(...definition)),
  };
}
