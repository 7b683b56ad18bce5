// A network that learns to tell decoded windows from true ones while the model learns to pass for true. Where the
// lift invents, many pictures would be right: distances to the one true picture favour their blurred mean, a
// critic favours one of them. Source: Isola et al., "Image-to-Image Translation with Conditional Adversarial
// Networks", 2017 (judging patches); Lim and Ye, "Geometric GAN", 2017 (hinge); Wang et al., pix2pixHD, 2018
// (distance of the critic's own features).

import type { Initialiser, Scope } from '../nn/index.ts';
import { convLayer } from '../nn/index.ts';
import type { Value } from '../tensor/index.ts';
import {
  abs,
  add,
  averagePool2d,
  concat,
  div,
  leakyRelu,
  mean,
  mul,
  relu,
  slice,
  spaceToDepth,
  stopGradient,
  sub,
  sum,
} from '../tensor/index.ts';

/** What is judged; S is a multiple of 8. */
export type JudgedWindows = {
  /** Windows of pictures, `B 3 S S` in [-1, 1]. */
  readonly decoded: Value;
  readonly target: Value;
  /** How far the lift sees them, `B 1 S S`. */
  readonly visibility: Value;
  /** What each pixel's judgement counts, `B 1 S S`, at least 0 and somewhere more. */
  readonly weight: Value;
};

/** What a critic adds to a loss: scalars. */
export type CriticLosses = {
  /** Minus the weighted mean judgement of the decoded windows; reaches the model alone. */
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
/** Pixels to a side for each judgement. */
const PATCH_PX = 8;
/** The critic begins with nothing beside a model that is nearly done: it learns so many times as fast. */
const PACE = 5;

/** The terms of one critic, whose parameters are made at `scope`. */
export function criticLosses(
  scope: Scope,
  { decoded, target, visibility, weight }: JudgedWindows,
): CriticLosses {
  const seenBy = (judge: Scope, picture: Value): Judgement => judged(judge, picture, visibility);
  const fast = withFasterParameters(scope);
  const still = withStillParameters(fast);
  const counts = averagePool2d(weight, PATCH_PX);
  const weighted = (judgements: Value): Value => div(sum(mul(judgements, counts)), add(sum(counts), 1e-3));
  const asModel = seenBy(still, decoded);
  const truth = seenBy(still, target);
  const distances = asModel.features.map((feature, i) =>
    mean(abs(sub(feature, stopGradient(truth.features[i]!)))),
  );
  // Both kinds in one batch, so that the critic runs once.
  const both = judged(fast, concat([stopGradient(decoded), target], 0), concat([visibility, visibility], 0));
  const batch = decoded.shape[0]!;
  const part = (start: number): Value => slice(both.logits, { axis: 0, start, end: start + batch });
  const hinge = (margin: Value): Value => weighted(relu(margin));
  return {
    adversarial: mul(weighted(asModel.logits), -1),
    features: mul(
      distances.reduce((total, one) => add(total, one)),
      1 / distances.length,
    ),
    critic: add(hinge(add(part(0), 1)), hinge(sub(1, part(batch)))),
  };
}

type Judgement = { readonly features: readonly Value[]; readonly logits: Value };

/** One logit for each patch, each of which sees about 60 pixels around. */
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

/** The same places, whose parameters are stored smaller than they are used: steps of AdamW, which have one size, go further. */
function withFasterParameters(scope: Scope): Scope {
  return {
    path: scope.path,
    at: (name) => withFasterParameters(scope.at(name)),
    parameter: (name, shape, initialiser) => {
      const slower: Initialiser = (extents, random) => initialiser(extents, random).map((x) => x / PACE);
      return mul(scope.parameter(name, shape, slower), PACE);
    },
  };
}

/** The same places and parameters, of which no gradient arrives. */
function withStillParameters(scope: Scope): Scope {
  return {
    path: scope.path,
    at: (name) => withStillParameters(scope.at(name)),
    parameter: (...definition) => stopGradient(scope.parameter(...definition)),
  };
}
