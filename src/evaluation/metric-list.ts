// The figures of an evaluation, each with its name, unit and direction: tables, pages and JSON read this list alone.

/** A figure of an evaluation. */
export type Metric = {
  /** The field of the JSON. */
  readonly name: MetricName;
  /** As a column's head. */
  readonly label: string;
  /** Written after a value; empty for shares and distances without one. */
  readonly unit: string;
  readonly decimals: number;
  readonly isHigherBetter: boolean;
  /** What it is, in one sentence. */
  readonly meaning: string;
  /**
   * `picture`: the output against the true picture; `face`: what networks see of both; `motion`: over the frames of a
   * sequence; `person`: one figure a subject.
   */
  readonly kind: 'picture' | 'face' | 'motion' | 'person';
};

export const METRIC_NAMES = [
  'psnr',
  'ssim',
  'l1',
  'lpips',
  'featureDistance',
  'csim',
  'csimReference',
  'aed',
  'apd',
  'flicker',
  'yawCorrelation',
  'blinkCorrelation',
  'mouthCorrelation',
  'multiViewMm',
] as const;
export type MetricName = (typeof METRIC_NAMES)[number];

type Fact = readonly [label: string, unit: string, decimals: number, meaning: string];

const FACTS: Readonly<Record<MetricName, Fact>> = {
  psnr: ['PSNR', 'dB', 2, 'peak signal to noise in the head region'],
  ssim: ['SSIM', '', 3, 'structural similarity in the head region, 7 x 7 windows'],
  l1: ['L1', '', 4, 'mean absolute difference in the head region, of the full range'],
  lpips: ['LPIPS', '', 3, "LPIPS 0.1 on VGG16 in the head region; the trunk is the user's file"],
  featureDistance: [
    'Features',
    '',
    4,
    "distance of the landmark network's first layers in the head region, a perceptual distance of the project's own",
  ],
  csim: ['CSIM', '', 3, "cosine of face descriptions to the true picture, or in cross to the source's"],
  csimReference: ['CSIM to reference', '', 3, 'cosine of face descriptions to the reference'],
  aed: ['AED', '', 4, 'mean absolute difference of expression and jaw, tracked on both'],
  apd: ['APD', 'rad', 4, "mean absolute difference of the head's rotation vector, tracked on both"],
  flicker: ['Flicker', '%', 2, 'difference of successive frames after optical flow, of the full range'],
  yawCorrelation: ['Yaw', '', 3, "correlation of the tracked yaw with the driver's"],
  blinkCorrelation: ['Blink', '', 3, "correlation of the eyes' opening with the driver's"],
  mouthCorrelation: ['Mouth', '', 3, "correlation of the mouth's opening with the driver's"],
  multiViewMm: ['Multi-view', 'mm', 2, 'spread of landmarks triangulated over an orbit'],
};

const HIGHER: readonly MetricName[] = [
  'psnr',
  'ssim',
  'csim',
  'csimReference',
  'yawCorrelation',
  'blinkCorrelation',
  'mouthCorrelation',
];

function kindOf(name: MetricName): Metric['kind'] {
  if (name === 'multiViewMm') return 'person';
  if (name === 'flicker' || name.endsWith('Correlation')) return 'motion';
  return ['csim', 'csimReference', 'aed', 'apd'].includes(name) ? 'face' : 'picture';
}

/** All figures, in the order of columns. */
export const METRICS: readonly Metric[] = METRIC_NAMES.map((name) => {
  const [label, unit, decimals, meaning] = FACTS[name];
  return { name, label, unit, decimals, meaning, kind: kindOf(name), isHigherBetter: HIGHER.includes(name) };
});
